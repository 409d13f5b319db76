/** What the pool does otherwise under `--reload`. */

import { describe, expect, it } from 'vitest';
import { noteReady, noteReload, noteStopping } from '../../src/master/notes.ts';
import { plan } from '../../src/master/plan.ts';
import { end, policy, poolOf, settle, spawn, wants } from './fixtures.ts';

const development = { ...policy, graceMs: 60_000, isDevelopment: true, showsErrors: true };
const instead = { ...development, showsErrors: false };
const failed = { hasBootError: true };

describe('new code', () => {
  it('replaces all workers at once, whose idle connections are closed and whose requests have three seconds', () => {
    const pool = poolOf(2, development);
    settle(pool, 0);
    noteReload(pool, development, 2);
    expect(wants(pool, 1)).toEqual([
      { type: 'spawn', worker: 3 },
      { type: 'spawn', worker: 4 },
    ]);
    for (const child of [spawn(pool, 1), spawn(pool, 1)]) noteReady(pool, child, 1);
    const retire = { type: 'retire', reason: 'reload', graceMs: 3000, idleGraceMs: 0 };
    expect(plan(pool, 2).filter(({ type }) => type === 'retire')).toMatchObject([retire, retire]);
  });

  it('does not shorten a stop', () => {
    const pool = poolOf(1, development);
    settle(pool, 0);
    noteStopping(pool, 'graceful', 0);
    expect(plan(pool, 0)).toMatchObject([{ type: 'retire', graceMs: 60_000, idleGraceMs: 1000 }]);
  });
});

describe('code that does not boot', () => {
  it('at the start does not end the service', () => {
    const pool = poolOf(1, development);
    expect(end(pool, spawn(pool, 0), null, 1, failed).consequence).toEqual({ type: 'broken' });
    expect(pool.stopping).toBeUndefined();
    noteReload(pool, instead, 1);
    expect(wants(pool, 2)).toEqual([{ type: 'spawn', worker: 1 }]);
  });

  it('is not gone back from: what serves its error takes the place of the code before it', () => {
    const pool = poolOf(1, development);
    settle(pool, 0);
    noteReload(pool, development, 1);
    expect(end(pool, spawn(pool, 1), null, 2, failed).consequence).toEqual({ type: 'broken' });
    expect(pool.generation).toBe(2);
    noteReload(pool, instead, 1);
    // Where even that does not boot, the old code serves on.
    expect(end(pool, spawn(pool, 3), null, 4, failed).consequence).toEqual({ type: 'reload_failed' });
    expect(pool.generation).toBe(1);
  });

  it('ends the service at the start where its error cannot be served either', () => {
    const pool = poolOf(1, development);
    end(pool, spawn(pool, 0), null, 1, failed);
    noteReload(pool, instead, 1);
    expect(end(pool, spawn(pool, 2), null, 3, failed).consequence).toEqual({ type: 'start_failed' });
  });

  it('of a generation that is no longer wanted means nothing', () => {
    const pool = poolOf(1, development);
    settle(pool, 0);
    noteReload(pool, development, 1);
    const old = spawn(pool, 1);
    noteReload(pool, development, 1);
    expect(end(pool, old, 'SIGKILL', 2).consequence).toEqual({ type: 'none' });
  });
});
