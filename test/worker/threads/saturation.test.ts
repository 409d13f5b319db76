/** When a threaded worker leaves connections to others, with a clock of its own. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Saturation } from '../../../src/worker/threads/saturation.ts';

// The code does not use the globals, which are what vitest fakes.
vi.mock('node:timers', () => ({
  setInterval: (...args: Parameters<typeof setInterval>) => setInterval(...args),
  clearInterval: (timer: NodeJS.Timeout | undefined) => clearInterval(timer),
}));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('a worker is busy when no thread is free or has finished anything for a while, and as long as that is so', () => {
  const said: string[] = [];
  let isFull = true;
  const saturation = new Saturation({
    isFull: () => isFull,
    onBusy: () => said.push('busy'),
    onFree: () => said.push('free'),
  });
  saturation.noteFull();
  vi.advanceTimersByTime(10);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(5000);
  expect(said).toEqual(['busy']);
  isFull = false;
  saturation.noteProgress(performance.now());
  expect(said).toEqual(['busy', 'free']);
});

it('a worker whose threads finish one request after the other is not busy', () => {
  const said: string[] = [];
  const saturation = new Saturation({
    isFull: () => true,
    onBusy: () => said.push('busy'),
    onFree: () => said.push('free'),
  });
  saturation.noteFull();
  for (let count = 0; count < 100; count++) {
    vi.advanceTimersByTime(10);
    saturation.noteProgress(performance.now());
  }
  expect(said).toEqual([]);
  saturation.stop();
});
