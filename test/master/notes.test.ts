import { describe, expect, it } from 'vitest';
import { noteNeeded, noteReload, noteReloaded, noteScaled } from '../../src/master/notes.ts';
import { policy, poolOf } from './fixtures.ts';

const wanted = ({ target, least }: ReturnType<typeof poolOf>) => ({ target, least });

describe('a number of workers that follows the load', () => {
  it('never falls below what was asked for', () => {
    const pool = poolOf(3);
    noteNeeded(pool, 5);
    expect(wanted(pool)).toEqual({ target: 5, least: 3 });
    noteNeeded(pool, 1);
    expect(wanted(pool)).toEqual({ target: 3, least: 3 });
  });

  it('commands move the lower bound, and leave what the load has added', () => {
    const pool = poolOf(2);
    noteNeeded(pool, 4);
    noteScaled(pool, 'more');
    expect(wanted(pool)).toEqual({ target: 4, least: 3 });
    noteScaled(pool, 6);
    expect(wanted(pool)).toEqual({ target: 6, least: 6 });
    noteScaled(pool, 'fewer');
    expect(wanted(pool)).toEqual({ target: 5, least: 5 });
    noteNeeded(pool, 7);
    noteScaled(pool, 'dismiss');
    expect(wanted(pool)).toEqual({ target: 0, least: 0 });
  });

  it('a reload keeps what the load has added, and one that fails goes back to it', () => {
    const pool = poolOf(2);
    noteNeeded(pool, 5);
    noteReload(pool, policy, 3);
    expect(wanted(pool)).toEqual({ target: 5, least: 3 });
    expect(pool.wantedBefore).toMatchObject({ target: 5, least: 2 });
    noteScaled(pool, 'more');
    expect(pool.wantedBefore).toMatchObject({ target: 5, least: 3 });
    noteReloaded(pool);
    noteReload(pool, policy, 6);
    expect(wanted(pool)).toEqual({ target: 6, least: 6 });
  });
});
