import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { at, observeFinely, recordLength, statuses, workerClasses } from '../../../src/ipc/counters.ts';
import { type Judgement, Trial } from '../../../src/master/canary/trial.ts';
import { addChild, noteForked, noteReady, noteReload } from '../../../src/master/notes.ts';
import { childrenOf, type Ending, type Pool } from '../../../src/master/pool.ts';
import { policy, poolOf, spawnReady } from '../fixtures.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** One old worker, and a generation that is tried for ten seconds. */
function begin() {
  const pool = poolOf(1);
  noteForked(spawnReady(pool, 0), 101);
  noteReload(pool, policy, 1, [], 1);
  const records = Array.from({ length: 4 }, () => new Float64Array(recordLength));
  const judgements: Judgement[] = [];
  const starts: number[] = [];
  const trial = new Trial({
    pool,
    counters: { read: () => ({ own: records.map((record) => record.slice()), other: [] }) },
    seconds: 10,
    onStart: () => starts.push(performance.now()),
    tell: (judgement) => judgements.push(judgement),
  });
  const answer = (worker: number, status: (typeof statuses)[number], count: number) => {
    records[worker]![at.requests + workerClasses.indexOf('async') * statuses.length + statuses.indexOf(status)]! +=
      count;
  };
  /** In each of so many half seconds, 50 answers by the old worker in 10 ms, and as many by the new one. */
  const serve = (halves: number, freshMs: number) => {
    for (let half = 0; half < halves; half++) {
      for (const [worker, ms] of [
        [1, 10],
        [2, freshMs],
      ] as const) {
        answer(worker, '2xx', 50);
        for (let count = 0; count < 50; count++) observeFinely(records[worker]!, ms / 1000);
      }
      vi.advanceTimersByTime(500);
    }
  };
  return { pool, trial, judgements, starts, answer, serve };
}

function boot(pool: Pool, worker: number, pid: number): void {
  const child = addChild(pool, worker, performance.now());
  noteForked(child, pid);
  noteReady(pool, child, performance.now());
}

const crashOf = (generation: number) => ({ generation, reason: 'crashed' }) as Ending;

describe('a trial', () => {
  it('begins when a new worker is ready, and counts what both do from then on', () => {
    const { pool, judgements, starts, answer } = begin();
    answer(1, '5xx', 50);
    vi.advanceTimersByTime(5000);
    expect(starts).toEqual([]);
    boot(pool, 2, 102);
    vi.advanceTimersByTime(500);
    expect(starts).toHaveLength(1);
    answer(1, '2xx', 400);
    answer(2, '2xx', 400);
    answer(2, 'none', 30);
    vi.advanceTimersByTime(9500);
    expect(judgements).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(judgements).toMatchObject([
      { outcome: 'no_worse', seconds: 10, fresh: { requests: 400, errors: 0 }, old: { requests: 400, errors: 0 } },
    ]);
  });

  it('without enough traffic lasts five times as long, and tells that it does not know', () => {
    const { pool, judgements } = begin();
    boot(pool, 2, 102);
    vi.advanceTimersByTime(50_000);
    expect(judgements).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(judgements).toMatchObject([{ outcome: 'unknown', seconds: 50 }]);
  });

  it('is lost at the next look where a new worker crashes, also before it was seen ready', () => {
    const { trial, judgements, starts } = begin();
    trial.noteCrash(crashOf(2));
    vi.advanceTimersByTime(500);
    expect(starts).toHaveLength(1);
    expect(judgements).toMatchObject([{ outcome: 'worse', faults: ['crashes'], fresh: { crashes: 1 } }]);
  });

  it('is lost where the new workers are slow after their warm-up, also before its end', () => {
    const { pool, judgements, serve } = begin();
    boot(pool, 2, 102);
    serve(12, 20);
    expect(judgements).toMatchObject([{ outcome: 'worse', faults: ['latency'] }]);
  });

  it('is not lost where the new workers warm up for longer than others do', () => {
    const { pool, judgements, serve } = begin();
    boot(pool, 2, 102);
    serve(8, 20);
    expect(judgements).toEqual([]);
    serve(14, 10);
    expect(judgements).toMatchObject([{ outcome: 'no_worse' }]);
  });

  it('does not take the workers of a trial that was given up for old ones', () => {
    const { pool, trial } = begin();
    boot(pool, 2, 102);
    trial.close();
    noteReload(pool, policy, 1, [], 1);
    const judgements: Judgement[] = [];
    const records = Array.from({ length: 4 }, () => new Float64Array(recordLength));
    const tell = (judgement: Judgement) => judgements.push(judgement);
    const next = new Trial({
      pool,
      counters: { read: () => ({ own: records.map((record) => record.slice()), other: [] }) },
      seconds: 1,
      onStart: () => {},
      tell,
    });
    boot(pool, 3, 103);
    expect(childrenOf(pool).map(({ generation }) => generation)).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(500);
    for (const worker of [1, 2, 3])
      records[worker]![at.requests + 2 * statuses.length + statuses.indexOf('2xx')]! += 100 * worker;
    next.noteCrash(crashOf(2));
    vi.advanceTimersByTime(5000);
    expect(judgements).toMatchObject([{ fresh: { requests: 300 }, old: { requests: 100, crashes: 0 } }]);
  });
});
