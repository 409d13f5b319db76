/** What the plan does while a new generation is on trial. */

import { describe, expect, it } from 'vitest';
import { noteRejected } from '../../src/master/endings.ts';
import { addChild, noteReload, noteScaled, noteServing, noteTrialPassed } from '../../src/master/notes.ts';
import { childrenOf, type Pool, readyOf } from '../../src/master/pool.ts';
import { end, policy, poolOf, settle, spawnReady, wants } from './fixtures.ts';

/** As many workers of each generation as serve. */
const serving = (pool: Pool) =>
  readyOf(pool).reduce<Record<number, number>>((counts, { generation }) => {
    counts[generation] = (counts[generation] ?? 0) + 1;
    return counts;
  }, {});

function onTrial(workers: number, canaries = 1): Pool {
  const pool = poolOf(workers);
  settle(pool, 0);
  noteReload(pool, policy, workers, [], canaries);
  settle(pool, 0);
  return pool;
}

describe('a generation on trial', () => {
  it('has one worker beside all of the old ones, and the reload does not end', () => {
    const pool = onTrial(4);
    expect(serving(pool)).toEqual({ 1: 4, 2: 1 });
    expect(pool.reloadFrom).toBe(1);
    expect(wants(pool, 0)).toEqual([]);
  });

  it('that is no worse replaces the old one', () => {
    const pool = onTrial(4);
    noteTrialPassed(pool);
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 2: 4 });
    expect(pool.reloadFrom).toBeUndefined();
  });

  it('that is worse goes, with that reason, and the old workers stay', () => {
    const pool = onTrial(4);
    const before = childrenOf(pool).filter(({ generation }) => generation === 1);
    const canary = childrenOf(pool).find(({ generation }) => generation === 2)!;
    noteRejected(pool);
    expect(wants(pool, 0)).toEqual([{ type: 'retire', child: canary, reason: 'canary' }]);
    settle(pool, 0);
    expect(readyOf(pool)).toEqual(before);
    expect(pool).toMatchObject({ generation: 1, reloadFrom: undefined, canaries: 0 });
  });

  it('one that still boots when it is rejected is killed with that reason', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    noteReload(pool, policy, 1, [], 1);
    expect(wants(pool, 0)).toEqual([{ type: 'spawn', worker: 2 }]);
    const canary = addChild(pool, 2, 0);
    noteRejected(pool);
    expect(wants(pool, 0)).toEqual([{ type: 'kill', child: canary, reason: 'canary' }]);
  });

  it('fills the gap that an old worker leaves, so capacity stays', () => {
    const pool = onTrial(3);
    const [old] = childrenOf(pool);
    noteServing(old!);
    end(pool, old!, 'SIGSEGV', 0);
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 1: 2, 2: 2 });
  });

  it('whose worker crashes after service gets another one: the figures judge', () => {
    const pool = onTrial(2);
    const canary = childrenOf(pool).find(({ generation }) => generation === 2)!;
    noteServing(canary);
    end(pool, canary, 'SIGSEGV', 0);
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 1: 2, 2: 1 });
  });

  it('gives way to a newer one: its worker goes, the old ones stay', () => {
    const pool = onTrial(2);
    noteReload(pool, policy, 2, [], 1);
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 1: 2, 3: 1 });
    noteRejected(pool);
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 1: 2 });
  });

  it('of one worker serves beside the one old worker', () => {
    expect(serving(onTrial(1))).toEqual({ 1: 1, 2: 1 });
  });

  it('is as large as was asked for', () => {
    expect(serving(onTrial(40, 2))).toEqual({ 1: 40, 2: 2 });
  });

  it('a signal for fewer workers retires old ones, one for none all of them', () => {
    const pool = onTrial(3);
    noteScaled(pool, 'fewer');
    settle(pool, 0);
    expect(serving(pool)).toEqual({ 1: 2, 2: 1 });
    noteScaled(pool, 'dismiss');
    settle(pool, 0);
    expect(serving(pool)).toEqual({});
  });
});

it('where no old worker serves there is no trial: the new generation is all there is', () => {
  const pool = poolOf(2);
  const child = spawnReady(pool, 0);
  end(pool, child, 'SIGKILL', 9000);
  noteReload(pool, policy, 2, [], 1);
  settle(pool, 9000);
  expect(serving(pool)).toEqual({ 2: 2 });
});
