/** When a threaded worker leaves connections to others, with a clock of its own. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pressure } from '../../../src/worker/threads/saturation.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('a worker is busy when no thread is free or has finished anything for a while, and as long as that is so', () => {
  const said: string[] = [];
  let isFull = true;
  const pressure = new Pressure({
    isFull: () => isFull,
    onBusy: () => said.push('busy'),
    onFree: () => said.push('free'),
  });
  pressure.noteFull();
  vi.advanceTimersByTime(10);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(5000);
  expect(said).toEqual(['busy']);
  isFull = false;
  pressure.noteProgress(performance.now());
  expect(said).toEqual(['busy', 'free']);
});

it('a worker whose threads finish one request after the other is not busy', () => {
  const said: string[] = [];
  const pressure = new Pressure({
    isFull: () => true,
    onBusy: () => said.push('busy'),
    onFree: () => said.push('free'),
  });
  pressure.noteFull();
  for (let count = 0; count < 100; count++) {
    vi.advanceTimersByTime(10);
    pressure.noteProgress(performance.now());
  }
  expect(said).toEqual([]);
  pressure.stop();
});
