import { describe, expect, it } from 'vitest';
import { at, durationBounds, recordLength } from '../../../src/ipc/counters.ts';
import { CountersFile } from '../../../src/master/metrics/counters-file.ts';
import { summarize } from '../../../src/master/metrics/summary.ts';

describe('what a live screen has of the counters', () => {
  it('is the exits alone where requests are not counted', () => {
    const counters = new CountersFile(undefined);
    counters.noteExit({ seat: 1, worker: 1 }, 'hung');
    counters.noteExit({ seat: 2, worker: 2 }, 'killed');
    expect(summarize(counters.read().own)).toEqual({
      exits: 2,
      bounds: durationBounds,
      durations: undefined,
      workers: [],
    });
  });

  it('is the sum of the durations of all workers, and the event loop of each', () => {
    const record = (changes: Record<number, number>) =>
      Object.assign(new Float64Array(recordLength), { 0: 1, ...changes });
    const own = new Float64Array(recordLength);
    // The worker in the first seat is worker 2, and the one in the third worker 1.
    const first = record({
      [at.holder]: 3,
      [at.duration]: 5,
      [at.duration + durationBounds.length]: 1,
      [at.utilization]: 0.5,
      [at.delay + 2]: 0.02,
    });
    const second = Object.assign(new Float64Array(recordLength), { [at.holder]: 1 });
    const third = record({ [at.duration]: 2 });
    const { durations, workers } = summarize([own, first, second, third]);
    expect([durations!.length, durations![0], durations!.at(-1)]).toEqual([durationBounds.length + 1, 7, 1]);
    expect(workers).toEqual([
      { worker: 1, utilization: 0, delaySeconds: 0 },
      { worker: 2, utilization: 0.5, delaySeconds: 0.02 },
    ]);
  });
});
