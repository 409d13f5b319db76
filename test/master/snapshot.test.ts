import { describe, expect, it } from 'vitest';
import {
  noteForked,
  noteOverslept,
  noteReady,
  noteReload,
  noteReloaded,
  noteStopping,
} from '../../src/master/notes.ts';
import { snapshot } from '../../src/master/snapshot.ts';
import { beat, end, policy, poolOf, spawn, spawnReady } from './fixtures.ts';

const identity = { pid: 7, version: '1.2.3', startedAt: 100 };

describe('a snapshot', () => {
  it('of a service that starts has no worker that is ready', () => {
    const pool = poolOf(2);
    noteForked(spawn(pool, 100), 70);
    expect(snapshot(pool, identity, 350)).toEqual({
      pid: 7,
      version: '1.2.3',
      state: 'starting',
      generation: 1,
      uptimeMs: 250,
      wanted: 2,
      ready: 0,
      workers: [
        {
          pid: 70,
          worker: 1,
          generation: 1,
          state: 'booting',
          uptimeMs: 250,
          requests: 0,
          running: 0,
          rssBytes: 0,
          unresponsive: false,
          silentMs: 0,
        },
      ],
      requests: 0,
      lastExit: undefined,
      pausedMs: 0,
    });
  });

  it('lists workers by number, with what they last said of themselves', () => {
    const pool = poolOf(2);
    const first = spawnReady(pool, 100);
    beat(pool, spawnReady(pool, 100), { requests: 5, running: 2, memoryBytes: 300 }, 150);
    end(pool, first, 'SIGABRT', 160);
    noteReady(pool, spawn(pool, 160), 170);
    const { workers, requests, ready } = snapshot(pool, identity, 200);
    expect(workers).toMatchObject([
      { worker: 1, state: 'ready', uptimeMs: 40, requests: 0 },
      { worker: 2, state: 'ready', uptimeMs: 100, requests: 5, running: 2, rssBytes: 300 },
    ]);
    expect({ requests, ready }).toEqual({ requests: 5, ready: 2 });
  });

  it('marks a worker that has been silent for two seconds, until it beats again', () => {
    const pool = poolOf(2);
    const silent = spawnReady(pool, 100);
    const other = spawnReady(pool, 100);
    beat(pool, silent, {}, 1000);
    beat(pool, other, {}, 2000);
    const marks = (now: number) => snapshot(pool, identity, now).workers.map(({ silentMs }) => silentMs);
    expect(marks(2999)).toEqual([0, 0]);
    expect(marks(3000)).toEqual([2000, 0]);
    expect(snapshot(pool, identity, 3000).workers[0]).toMatchObject({ unresponsive: true });
    beat(pool, silent, {}, 3000);
    expect(marks(3500)).toEqual([0, 0]);
    // The master itself was not running.
    noteOverslept(pool, 2000, 5500);
    expect(marks(5500)).toEqual([0, 0]);
  });

  it('marks no worker that boots', () => {
    const pool = poolOf(1);
    spawn(pool, 0);
    expect(snapshot(pool, identity, 9000).workers[0]).toMatchObject({ unresponsive: false });
  });

  it('counts the requests of those that have left, and says how the last one did', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 100);
    noteForked(child, 71);
    beat(pool, child, { requests: 9 }, 150);
    end(pool, child, 'SIGKILL', 200);
    expect(snapshot(pool, identity, 450)).toMatchObject({
      requests: 9,
      lastExit: {
        pid: 71,
        worker: 1,
        generation: 1,
        code: null,
        signal: 'SIGKILL',
        reason: 'killed',
        uptimeMs: 100,
        requests: 9,
        agoMs: 250,
      },
    });
  });

  it('says for how long the next spawn still waits', () => {
    const pool = poolOf(1);
    spawnReady(pool, 0);
    for (const child of pool.children.values()) end(pool, child, 'SIGABRT', 0);
    for (let round = 0; round < 2; round++) end(pool, spawn(pool, 0), null, 0);
    expect(snapshot(pool, identity, 400).pausedMs).toBe(600);
    expect(snapshot(pool, identity, 1000).pausedMs).toBe(0);
  });

  it('tells a service that reloads from one that serves, and both from one that stops', () => {
    const pool = poolOf(1);
    spawnReady(pool, 0);
    const stateOf = () => snapshot(pool, identity, 0).state;
    expect(stateOf()).toBe('serving');
    noteReload(pool, policy, 1);
    expect(stateOf()).toBe('reloading');
    noteReloaded(pool);
    expect(stateOf()).toBe('serving');
    noteStopping(pool, 'graceful', 0);
    expect(stateOf()).toBe('stopping');
  });
});
