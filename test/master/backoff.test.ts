/** Whose place stays empty after a failure, and for how long. */

import { describe, expect, it } from 'vitest';
import { infancyMs } from '../../src/master/backoff.ts';
import {
  addChild,
  noteKilled,
  noteReady,
  noteReload,
  noteRetiring,
  noteScaled,
  noteServing,
} from '../../src/master/notes.ts';
import { nextDeadline, plan, vacanciesOf } from '../../src/master/plan.ts';
import { type Child, childrenOf, type Pool } from '../../src/master/pool.ts';
import { beat, end, policy, poolOf, settle, spawn, spawnReady } from './fixtures.ts';

/** Pauses after each failure of the only worker, each spawned when its time has come. */
function pausesOf(count: number, fail: (pool: Pool, child: Child, now: number) => void): number[] {
  const pool = poolOf(1);
  spawnReady(pool, 0);
  const pauses: number[] = [];
  for (let now = 0; pauses.length < count; ) {
    for (const child of childrenOf(pool)) fail(pool, child, now);
    const [vacancy] = vacanciesOf(pool, now);
    pauses.push(vacancy!.waitMs);
    expect(plan(pool, now).some(({ type }) => type === 'spawn')).toBe(vacancy!.waitMs === 0);
    now += vacancy!.waitMs;
    spawn(pool, now);
  }
  return pauses;
}

const doubling = [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];

describe('a worker that has served', () => {
  it('is replaced at once, however often it dies, and however soon', () => {
    const crash = (pool: Pool, child: Child, now: number) => {
      noteReady(pool, child, now);
      noteServing(child);
      expect(end(pool, child, 'SIGABRT', now)).toMatchObject({ reason: 'crashed', consequence: { type: 'none' } });
    };
    expect(pausesOf(100, crash)).toEqual(Array(100).fill(0));
  });

  it('for longer than its infancy is replaced at once, though no request came', () => {
    const pool = poolOf(1);
    for (let now = 0; now < 100 * infancyMs; now += infancyMs) {
      const child = spawnReady(pool, now);
      end(pool, child, 'SIGABRT', now + infancyMs);
      expect(plan(pool, now + infancyMs)).toEqual([{ type: 'spawn', worker: 1 }]);
    }
  });

  it('is known as such by its beats', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    beat(pool, child, { requests: 1 }, 10);
    expect(child.hasServed).toBe(true);
  });
});

describe('a worker that ends before it has served', () => {
  it('because it does not boot is followed at once the first time, then after growing pauses, up to a bound', () => {
    const fail = (pool: Pool, child: Child, now: number) => {
      expect(end(pool, child, null, now).reason).toBe(child.readyAt === undefined ? 'boot_failed' : 'crashed');
    };
    expect(pausesOf(10, fail)).toEqual(doubling);
  });

  it('because it crashes within seconds of its boot is followed likewise', () => {
    const fail = (pool: Pool, child: Child, now: number) => {
      noteReady(pool, child, now - infancyMs + 1);
      expect(end(pool, child, 'SIGSEGV', now).reason).toBe('crashed');
    };
    expect(pausesOf(10, fail)).toEqual(doubling);
  });

  it('by someone else’s hand is replaced within a moment, however often', () => {
    const kill = (pool: Pool, child: Child, now: number) => {
      noteReady(pool, child, now);
      expect(end(pool, child, 'SIGKILL', now).reason).toBe('killed');
    };
    expect(Math.max(...pausesOf(100, kill))).toBe(250);
  });

  it('by the kernel, as memory ran out, is followed after growing pauses', () => {
    const kill = (pool: Pool, child: Child, now: number) => {
      noteReady(pool, child, now);
      end(pool, child, 'SIGKILL', now, { isMemoryKill: true });
    };
    expect(pausesOf(10, kill)).toEqual(doubling);
  });

  it('because it was told to, is no failure', () => {
    const pool = poolOf(2);
    spawnReady(pool, 0);
    for (let round = 0; round < 5; round++) {
      const child = spawn(pool, 0);
      noteKilled(child, 'scaled_down');
      expect(end(pool, child, 'SIGKILL', 0)).toMatchObject({ reason: 'scaled_down', consequence: { type: 'none' } });
    }
    expect(vacanciesOf(pool, 0)).toEqual([{ worker: 2, waitMs: 0 }]);
  });

  it.each([
    // Two numbers take turns, as one serves until the other does: each has its first failure for nothing.
    ['before any request waits longer each time', 0, [0, 0, 0, 500]],
    ['is replaced at once if it has served', 1, [0, 0, 0, 0]],
  ])('too large from the start %s, while the large one serves on', (_, requests, expected) => {
    const pool = poolOf(1);
    const pauses: number[] = [];
    spawnReady(pool, 0);
    for (let now = 0; pauses.length < 4; ) {
      const [large] = childrenOf(pool) as [Child];
      beat(pool, large, { memoryBytes: 1001 }, now);
      beat(pool, large, { requests, memoryBytes: 1001 }, now);
      const waitMs = vacanciesOf(pool, now)[0]!.waitMs;
      pauses.push(waitMs);
      now += waitMs;
      const next = spawnReady(pool, now);
      noteRetiring(large, 'max_memory', 10, now);
      end(pool, large, null, now);
      expect(childrenOf(pool)).toEqual([next]);
    }
    expect(pauses).toEqual(expected);
  });

  it('too large from the start is delayed for that alone: crashes of more than a minute ago do not count', () => {
    const pool = poolOf(1);
    end(pool, spawnReady(pool, 0), 'SIGSEGV', 1);
    const now = 120_000;
    const child = spawnReady(pool, now);
    noteRetiring(child, 'max_memory', 10, now);
    expect(end(pool, child, null, now).consequence).toMatchObject({ type: 'delayed', crashesLastMinute: 0 });
  });
});

describe('a pause', () => {
  const fail = (pool: Pool, worker: number, times: number, now: number) => {
    for (let count = 0; count < times; count++) {
      const child = pool.children.get(worker) ?? addChild(pool, worker, now);
      end(pool, child, null, now, { hasBootError: true });
    }
  };

  it('is for one number: others are replaced at once', () => {
    const pool = poolOf(4);
    settle(pool, 0);
    fail(pool, 2, 5, 0);
    expect(vacanciesOf(pool, 0)).toEqual([{ worker: 2, waitMs: 4000 }]);
    beat(pool, pool.children.get(3)!, { requests: 1 }, 0);
    end(pool, pool.children.get(3)!, 'SIGABRT', 0);
    expect(plan(pool, 0)).toEqual([{ type: 'spawn', worker: 3 }]);
    expect(nextDeadline(pool, 0)).toBeLessThanOrEqual(4000);
  });

  it('is over while fewer than half of the workers are ready and the last boot was good', () => {
    const pool = poolOf(4);
    settle(pool, 0);
    for (const worker of [1, 2, 3, 4]) fail(pool, worker, 4, 0);
    expect(plan(pool, 0)).toEqual([]);
    expect(plan(pool, 2000)).toHaveLength(4);
    // All but one wait again, and that one comes up.
    for (const worker of [1, 2, 3]) fail(pool, worker, 1, 2000);
    const good = addChild(pool, 4, 2000);
    expect(plan(pool, 2100)).toEqual([]);
    noteReady(pool, good, 2100);
    expect(plan(pool, 2100)).toEqual([1, 2, 3].map((worker) => ({ type: 'spawn', worker })));
  });

  it('holds while half of the workers are ready', () => {
    const pool = poolOf(4);
    settle(pool, 0);
    for (const worker of [1, 2]) fail(pool, worker, 4, 0);
    noteReady(pool, spawn(pool, 2000), 2000);
    fail(pool, 2, 1, 2000);
    expect(vacanciesOf(pool, 2000)).toEqual([{ worker: 2, waitMs: 4000 }]);
  });

  it('says after how many failures in a row, and how many crashed in the last minute', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    fail(pool, 1, 2, 0);
    const exit = end(pool, spawn(pool, 100_000), null, 100_000);
    expect(exit.consequence).toEqual({ type: 'delayed', delayMs: 1000, failures: 3, crashesLastMinute: 1 });
    expect(pool.crashes).toEqual([100_000]);
  });

  it('ends with a reload: the new code may be good', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    fail(pool, 1, 9, 0);
    noteReload(pool, policy, 2);
    expect(plan(pool, 1)).toContainEqual({ type: 'spawn', worker: 1 });
  });

  it('ends with a reload that is given up: it was the new code that failed', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2);
    for (let round = 0; round < 9; round++) {
      const killed = addChild(pool, 3, 0);
      noteReady(pool, killed, 0);
      end(pool, killed, 'SIGKILL', 0);
    }
    expect(end(pool, addChild(pool, 4, 0), null, 0).consequence).toEqual({ type: 'reload_failed' });
    for (const child of childrenOf(pool)) end(pool, child, null, infancyMs);
    noteScaled(pool, 'more');
    expect(vacanciesOf(pool, 1)).toEqual([1, 2, 3].map((worker) => ({ worker, waitMs: 0 })));
  });

  it('does not hold up what a signal asks for', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    fail(pool, 1, 9, 0);
    noteScaled(pool, 'more');
    expect(plan(pool, 1)).toEqual([{ type: 'spawn', worker: 3 }]);
  });
});
