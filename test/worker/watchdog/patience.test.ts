import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { wait } from '../../../src/worker/watchdog/patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param waits which part of the time the other thread waits for a processor */
function begin(waits: number) {
  const startedAt = Date.now();
  const ends: number[] = [];
  const stop = wait(
    {
      ms: 300,
      mostMs: 3000,
      waitedMs: () => 5000 + (Date.now() - startedAt) * waits,
      now: () => Date.now(),
      timers: globalThis,
    },
    () => ends.push(Date.now() - startedAt),
  );
  return { ends, stop };
}

it.each([
  ['that runs, or sleeps, gets its time', 0, 300, 300],
  ['that runs half of the time gets twice as much', 0.5, 598, 602],
  ['that gets no processor gets the most there is', 1, 3000, 3000],
])('a thread %s', async (_, waits, least, most) => {
  const { ends } = begin(waits);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ends).toHaveLength(1);
  expect(ends[0]).toBeGreaterThanOrEqual(least);
  expect(ends[0]).toBeLessThanOrEqual(most);
});

it('nobody is called once it has answered', async () => {
  const { ends, stop } = begin(0);
  stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ends).toEqual([]);
});

it('an app that replaces the global timers and clocks does not stop it', async () => {
  const waited = new Promise<void>((resolve) => wait({ ms: 5, mostMs: 5, waitedMs: () => 0 }, () => resolve()));
  await expect(waited).resolves.toBeUndefined();
});
