/** What the log says of a worker that has grown past `--max-worker-memory`. */

import { expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

const app = `
const kept: { id: number; text: string }[] = [];

function leakHere(): void {
  for (let id = 0; id < 50_000; id++) kept.push({ id, text: 'text ' + id });
}

export default function app(env: unknown, startResponse: (status: string, fields: []) => void): string[] {
  const passing = Array.from({ length: 10_000 }, (_, id) => ({ id }));
  leakHere();
  startResponse('200 OK', []);
  return [String(passing.length)];
}`;

it('a worker that is recycled for its memory names the function that allocated most of it', async () => {
  const { path } = makeFolder({ 'app.ts': app });
  const tsgun = start('app.ts', ['--max-worker-memory', '120'], { cwd: path });
  const [pid] = await tsgun.workers(1);
  const growth = () => tsgun.log.find(({ grew }) => grew !== undefined);
  while (growth() === undefined) await tsgun.get('/');
  const { grew, ...line } = growth()!;
  expect(line).toMatchObject({ level: 'warn', pid });
  expect((grew as { site: string; mebibytes: number }[])[0]).toEqual({
    site: expect.stringMatching(/^leakHere \(.*\/app\.ts:4:\d+\)$/),
    mebibytes: expect.any(Number),
  });
  expect(await tsgun.event('worker_recycled')).toMatchObject({ pid, reason: 'max_memory' });
  await tsgun.stop();
  // Node has nothing of its own to say, such as that it waits for a debugger.
  expect(tsgun.text).toEqual([]);
});
