/** CPU time of threads by looks at them, which are far apart. */

import { expect, it } from 'vitest';
import { systemThread } from '../../../src/worker/metering/cpu.ts';
import { readAllThreads, readMainThread, ThreadTimes } from '../../../src/worker/watchdog/thread-times.ts';

/** One thread, number 7, that runs in the given spans, in milliseconds; looked at four times a second. */
function threadThatRan(spans: readonly (readonly [from: number, to: number])[], untilMs: number) {
  let now = 0;
  const ranMs = (at: number) => spans.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(at, to) - from), 0);
  const times = new ThreadTimes(() => new Map([[7, ranMs(now) * 1e6]]));
  for (now = 0; now <= untilMs; now += 250) times.look(now);
  now = untilMs;
  return (ms: number, thread = 7) => times.since(ms, now)(thread);
}

it('a request in a loop without end took all the time since it began, whenever that was', () => {
  const since = threadThatRan([[10_110, 99_999]], 20_000);
  expect(since(20_000 - 10_110)).toBe(9890);
});

it('a request that waits takes nothing, whatever ran before it', () => {
  const since = threadThatRan([[0, 1000]], 5000);
  expect(since(3500)).toBe(0);
});

it('one that began after the last look is known too', () => {
  const since = threadThatRan([[5100, 5200]], 5200);
  expect(since(100)).toBe(100);
});

it('after hours, the readings are still close enough together to tell', () => {
  const since = threadThatRan([[3_600_000, 7_200_000]], 7_200_000);
  expect(since(3_600_000)! / 3_600_000).toBeCloseTo(1, 2);
});

it('a thread that is gone has no time', () => {
  expect(threadThatRan([], 1000)(500, 8)).toBeUndefined();
});

it('a request that follows a pause without looks takes nothing for what ran before it', () => {
  let now = 0;
  const times = new ThreadTimes(() => new Map([[7, Math.min(now, 9000) * 1e6]]));
  times.look(now);
  now = 10_200;
  times.look(now);
  now = 12_000;
  expect(times.since(now - 10_000, now)(7)).toBeLessThanOrEqual(250);
});

it('where requests run on the main thread alone, no other is read', () => {
  expect([...readMainThread().keys()]).toEqual([process.pid]);
  expect([...readAllThreads().keys()]).toContain(process.pid);
});

it('the CPU time of this very process is read', () => {
  const times = new ThreadTimes();
  const startedAt = performance.now();
  times.look(startedAt);
  const usage = process.cpuUsage();
  while (process.cpuUsage(usage).user < 100_000);
  const now = performance.now();
  expect(times.since(now - startedAt, now)(systemThread()!)).toBeGreaterThan(50);
});
