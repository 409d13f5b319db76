import { expect, it } from 'vitest';
import { nowhere } from '../../../src/http/ends.ts';
import { type Server, Serving } from '../../../src/worker/classes/serving.ts';

function madeUp(counts: { requests: number; accepted: number; connectionCount: number }, calls: string[] = []): Server {
  return {
    ...counts,
    local: nowhere,
    serve: () => {},
    running: () => [{ method: 'GET', path: `/${counts.requests}`, ms: 1 }],
    drain: async () => void calls.push('drain'),
    closeIdle: () => void calls.push('closeIdle'),
    tellUnfinished: () => {},
    sayFarewell: () => void calls.push('sayFarewell'),
  };
}

it('counts what all servers of a worker have served', () => {
  const one = madeUp({ requests: 1, accepted: 3, connectionCount: 2 });
  const other = madeUp({ requests: 10, accepted: 30, connectionCount: 20 });
  const serving = new Serving([one, other]);
  expect(serving.stats()).toEqual({ requests: 11, accepted: 33, connections: 22 });
  expect(serving.running().map(({ path }) => path)).toEqual(['/1', '/10']);
});

it('idle connections are closed whether the hurry comes before the drain or during it, and not without one', async () => {
  const run = async (...order: ('hurry' | 'drain')[]) => {
    const calls: string[] = [];
    const serving = new Serving([madeUp({ requests: 0, accepted: 0, connectionCount: 0 }, calls)]);
    for (const step of order) await (step === 'drain' ? serving.drain(0) : serving.hurry());
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    return calls;
  };
  expect(await run('hurry', 'drain')).toEqual(['drain', 'closeIdle']);
  expect(await run('drain', 'hurry')).toEqual(['drain', 'closeIdle']);
  expect(await run('drain')).toEqual(['drain']);
});

it('the accept queue is emptied until a turn of the loop brings nothing, and left alone in a hurry', async () => {
  let left = 3;
  let looks = 0;
  const arrive = () => {
    looks++;
    return left > 0 ? left-- : 0;
  };
  const serving = new Serving([madeUp({ requests: 0, accepted: 0, connectionCount: 0 })]);
  await serving.emptyQueue(arrive);
  expect(left).toBe(0);
  serving.hurry();
  looks = 0;
  await serving.emptyQueue(arrive);
  expect(looks).toBeLessThanOrEqual(1);
});

it('where only the app knows which connections are idle, a hurry still takes what waits in the accept queue', async () => {
  const { closeIdle: _, ...raw } = madeUp({ requests: 0, accepted: 0, connectionCount: 0 });
  const serving = new Serving<Server>([raw]);
  serving.hurry();
  let looks = 0;
  await serving.emptyQueue(() => looks++ && 0);
  expect(looks).toBeGreaterThan(1);
});
