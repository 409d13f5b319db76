import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

/** Answers when the file `go` is there. */
const waitingApp = `
import { existsSync } from 'node:fs'
export default async (env, startResponse) => {
  console.log('parked')
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  startResponse('200 OK', [])
  return ['hello']
}
`;

it('a pool whose workers are all busy grows up to --max-workers, and a signal moves only the lower bound', async () => {
  const folder = makeFolder({ 'app.mjs': waitingApp });
  const app = join(folder.path, 'app.mjs');
  const tsgun = start(app, ['--worker-class', 'sync', '--max-workers', '3'], { cwd: folder.path });
  const answers = [];
  // One after the other: a worker that is idle takes all that connect before their requests have come.
  for (const workers of [1, 2, 3]) {
    answers.push(tsgun.get('/'));
    await tsgun.until(
      () => tsgun.stdout.split('parked').length > workers,
      `a request that worker ${workers} has taken`,
    );
  }
  expect(tsgun.lines('scaled')).toMatchObject([
    { from: 1, workers: 2, busyWorkers: 1, busyCpus: expect.any(Number), queueMs: 0 },
    { from: 2, workers: 3, busyWorkers: 2, busyCpus: expect.any(Number), queueMs: 0 },
  ]);
  tsgun.signal('SIGTTIN');
  expect(await tsgun.event('scaled', 3)).toMatchObject({ signal: 'SIGTTIN', from: 1, workers: 2 });
  expect(tsgun.living()).toHaveLength(3);
  folder.write('go', '');
  for (const answer of answers) expect(await answer).toMatchObject({ text: 'hello' });
  await tsgun.stop();
});
