import { describe, expect, it } from 'vitest';
import { at, queueBounds, recordLength } from '../../../src/ipc/counters.ts';
import { busyShare, capacityOf, LoadMeter } from '../../../src/master/scaling/load.ts';
import { poolOf, spawnReady } from '../fixtures.ts';

function record(values: Partial<Record<'utilization' | 'inFlight' | 'cpuSeconds', number>>): Float64Array {
  const values64 = new Float64Array(recordLength);
  for (const [name, value] of Object.entries(values)) values64[at[name as 'utilization']] = value;
  return values64;
}

describe('how busy a worker is', () => {
  const child = spawnReady(poolOf(1), 0);

  it.each([
    ['async: by its event loop', 'async', { utilization: 0.4, inFlight: 90 }, 0.4],
    ['sync: by its one request', 'sync', { utilization: 0.1, inFlight: 1 }, 1],
    ['sync: by its event loop where the request came between', 'sync', { utilization: 0.9, inFlight: 0 }, 0.9],
    ['threaded: by its threads', 'threaded', { utilization: 0.1, inFlight: 3 }, 0.75],
    [
      'threaded: requests that wait for a thread do not make it more',
      'threaded',
      { utilization: 0.1, inFlight: 30 },
      1,
    ],
  ] as const)('%s', (_, workerClass, values, share) => {
    expect(busyShare(child, record(values), capacityOf({ workerClass, threads: 4 }), 100)).toBe(share);
  });

  it('one that is silent is busy, whatever it counted last', () => {
    expect(busyShare(child, record({ utilization: 0.1 }), 1, 5000)).toBe(1);
  });

  it('one that counts nothing yet is idle', () => {
    expect(busyShare(child, undefined, 1, 100)).toBe(0);
  });
});

describe('the load of a second', () => {
  const pool = poolOf(2);
  const ready = [spawnReady(pool, 0), spawnReady(pool, 0)];
  const master = new Float64Array(recordLength);

  it('is the average of the polls, and what was counted since the first of them', () => {
    const meter = new LoadMeter();
    const before = [master, record({ utilization: 1, cpuSeconds: 5 }), record({ utilization: 0.5, cpuSeconds: 7 })];
    const after = [master, record({ utilization: 0.5, cpuSeconds: 5.5 }), record({ utilization: 0.5, cpuSeconds: 8 })];
    after[2]![at.queue + 3] = 4;
    after[2]![at.queue + queueBounds.length + 1] = 0.2;
    meter.poll(ready, before, Number.POSITIVE_INFINITY, 0);
    meter.poll(ready, after, Number.POSITIVE_INFINITY, 1000);
    expect(meter.take(2, after, 1000)).toEqual({ busyWorkers: 1.25, readyWorkers: 2, busyCpus: 1.5, queueMs: 50 });
    // The next second begins where this one ends.
    meter.poll(ready, after, Number.POSITIVE_INFINITY, 1500);
    expect(meter.take(2, after, 1500)).toEqual({ busyWorkers: 1, readyWorkers: 2, busyCpus: 0, queueMs: 0 });
  });
});
