import { describe, expect, it } from 'vitest';
import { makeFolder, start, type Tsgun } from './harness.ts';

/** Serves 40 requests per second at the most: two at once, as a pool of two connections behind it would allow. */
const app = `
let places = 2;
const waiting = [];
export default async (env, startResponse) => {
  if (places > 0) places--;
  else await new Promise((resolve) => waiting.push(resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (waiting.length > 0) waiting.shift()();
  else places++;
  startResponse('200 OK', []);
  return ['served'];
};`;

/** Clients that ask again as soon as they have an answer, until something is so. @returns the answers */
async function crowd(tsgun: Tsgun, clients: number, path: string, isOver: () => boolean): Promise<string[]> {
  const answers: string[] = [];
  const ask = async () => {
    while (!isOver()) answers.push(await (await tsgun.connect()).exchange(`GET ${path} HTTP/1.0\r\n\r\n`));
  };
  await Promise.all(Array.from({ length: clients }, ask));
  return answers;
}

const count = (answers: readonly string[], status: number) =>
  answers.filter((answer) => answer.startsWith(`HTTP/1.1 ${status} `)).length;

describe.each(['async', 'threaded', 'sync'])(
  'more requests than can be served, in the %s class',
  { concurrent: true },
  (workerClass) => {
    it('are refused early with a 503, until there are fewer; the others and those of --shed-never are answered', async () => {
      const { path } = makeFolder({ 'app.mjs': app });
      const args = ['--worker-class', workerClass, '--threads', '2', '--shed', 'auto', '--shed-never', '/never/*'];
      const tsgun = start('app.mjs', args, { cwd: path });
      const isIn = (state: string) => () => tsgun.lines('overloaded').some((line) => line.state === state);
      let calm = 0;
      expect(count(await crowd(tsgun, 1, '/a', () => ++calm > 20), 200)).toBe(20);
      const [answers, kept] = await Promise.all([
        crowd(tsgun, 30, '/a', isIn('entered')),
        crowd(tsgun, 2, '/never/x', isIn('entered')),
      ]);
      expect(count(answers, 200)).toBeGreaterThan(0);
      const refused = answers.find((answer) => answer.startsWith('HTTP/1.1 503 '))!;
      expect(refused).toContain('\r\nRetry-After: 1\r\n');
      expect(count(answers, 200) + count(answers, 503)).toBe(answers.length);
      expect(count(kept, 200)).toBe(kept.length);
      expect(await tsgun.event('overloaded')).toMatchObject({ level: 'warn', worker: 1, generation: 1 });
      await tsgun.until(isIn('left'), 'the end of the overload');
      expect(tsgun.lines('overloaded').find(({ state }) => state === 'left')!.shed).toBe(count(answers, 503));
      expect((await tsgun.get('/a')).status).toBe(200);
      await tsgun.stop();
    });
  },
);

it('an async worker that computes refuses what has waited, also where each request has a connection of its own', async () => {
  const spinning = `export default (env, startResponse) => {
    const { user, system } = process.cpuUsage();
    for (;;) {
      const now = process.cpuUsage();
      if (now.user + now.system - user - system > 10_000) break;
    }
    startResponse('200 OK', []);
    return ['computed'];
  };`;
  const { path } = makeFolder({ 'app.mjs': spinning });
  const tsgun = start('app.mjs', ['--shed', 'auto'], { cwd: path });
  const answers = await crowd(tsgun, 30, '/', () => tsgun.lines('overloaded').length > 0);
  expect(count(answers, 200)).toBeGreaterThan(0);
  expect(count(answers, 503)).toBeGreaterThan(0);
  await tsgun.stop();
});
