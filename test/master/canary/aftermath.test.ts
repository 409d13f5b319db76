import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { at, recordLength, statuses, workerClasses } from '../../../src/ipc/counters.ts';
import { type Aftermath, faultsOf, Watch } from '../../../src/master/canary/aftermath.ts';
import type { Ending } from '../../../src/master/pool.ts';

describe('a generation after its roll-out, beside what the one before it did', () => {
  it.each([
    ['as few errors', [1000, 5, 0, 60], [10_000, 40, 0, 300], []],
    ['ten in a hundred errors', [1000, 100, 0, 10], [10_000, 40, 0, 300], ['errors']],
    ['as many errors as before', [1000, 500, 0, 10], [10_000, 5000, 0, 300], []],
    ['errors, and nothing to compare with', [1000, 500, 0, 10], [0, 0, 0, 300], []],
    ['two crashes', [1000, 0, 2, 10], [10_000, 0, 0, 300], []],
    ['three crashes in ten seconds', [1000, 0, 3, 10], [10_000, 0, 0, 300], ['crashes']],
    ['crashes twice as often', [1000, 0, 6, 60], [10_000, 0, 15, 300], []],
    ['crashes three times as often', [1000, 0, 9, 60], [10_000, 0, 15, 300], ['crashes']],
  ])('%s', (_, fresh, old, faults) => {
    const stretch = ([requests = 0, errors = 0, crashes = 0, seconds = 0]: number[]) => ({
      requests,
      errors,
      crashes,
      seconds,
    });
    expect(faultsOf(stretch(fresh), stretch(old))).toEqual(faults);
  });
});

describe('watching', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  function begin(seconds = 60) {
    const record = new Float64Array(recordLength);
    const told: Aftermath[] = [];
    const watch = new Watch({
      counters: { read: () => ({ own: [new Float64Array(recordLength).fill(7), record], other: [] }) },
      seconds: () => seconds,
      tell: (aftermath) => told.push(aftermath),
    });
    watch.follow(true);
    const answer = (status: (typeof statuses)[number], count: number) => {
      record[at.requests + workerClasses.indexOf('sync') * statuses.length + statuses.indexOf(status)]! += count;
    };
    const rollOut = (generation: number) => {
      const old = watch.recent;
      watch.end();
      watch.begin(generation, old);
    };
    return { watch, told, answer, rollOut };
  }

  it('tells once of a generation whose answers are errors, with the figures of both', () => {
    const { told, answer, rollOut } = begin();
    vi.advanceTimersByTime(500);
    answer('2xx', 1000);
    vi.advanceTimersByTime(9500);
    rollOut(2);
    answer('5xx', 500);
    answer('none', 500);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([
      {
        generation: 2,
        faults: ['errors'],
        fresh: { requests: 500, errors: 500, crashes: 0, seconds: 1 },
        old: { requests: 1000, errors: 0, crashes: 0, seconds: 10 },
      },
    ]);
  });

  it('knows what was answered ahead of the first look', () => {
    const { told, answer, rollOut } = begin();
    answer('2xx', 1000);
    vi.advanceTimersByTime(400);
    rollOut(2);
    answer('5xx', 500);
    vi.advanceTimersByTime(500);
    expect(told).toMatchObject([{ faults: ['errors'], old: { requests: 1000, errors: 0 } }]);
  });

  it('is over after its time', () => {
    const { told, answer, rollOut } = begin(10);
    answer('2xx', 1000);
    vi.advanceTimersByTime(5000);
    rollOut(2);
    vi.advanceTimersByTime(10_000);
    answer('5xx', 500);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
  });

  it('compares with the last five minutes only', () => {
    const { told, answer, rollOut } = begin();
    vi.advanceTimersByTime(500);
    answer('5xx', 1000);
    vi.advanceTimersByTime(600_000);
    answer('2xx', 1000);
    vi.advanceTimersByTime(500);
    rollOut(2);
    answer('5xx', 500);
    vi.advanceTimersByTime(500);
    expect(told).toMatchObject([{ old: { requests: 1000, errors: 0, seconds: 300 } }]);
  });

  it('counts the crashes of the generation that is watched', () => {
    const { watch, told, rollOut } = begin();
    vi.advanceTimersByTime(5000);
    rollOut(2);
    for (const generation of [1, 2, 2, 1]) watch.noteCrash({ generation } as Ending);
    vi.advanceTimersByTime(500);
    expect(told).toEqual([]);
    watch.noteCrash({ generation: 2 } as Ending);
    vi.advanceTimersByTime(500);
    expect(told).toMatchObject([{ faults: ['crashes'], fresh: { crashes: 3 } }]);
  });
});
