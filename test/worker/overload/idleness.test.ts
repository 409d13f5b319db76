/** A worker with a clock of its own: whether requests that waited are refused although it has time for them. */

import { describe, expect, it } from 'vitest';
import { Idleness } from '../../../src/worker/overload/idleness.ts';
import { QueueDelay } from '../../../src/worker/overload/queue-delay.ts';

interface Load {
  /** The app blocks the loop for so long without a request, and that often. */
  readonly job?: { readonly ms: number; readonly everyMs: number };
  readonly serviceMs: number;
  readonly everyMs: number;
  readonly streams: number;
  readonly capacity?: number;
}

/** Requests are read one after the other, when the loop is free. @returns how many were refused in the seconds from 3 to 13 */
function simulate({ job, serviceMs, everyMs, streams, capacity = Number.POSITIVE_INFINITY }: Load): number {
  const idleness = new Idleness(capacity);
  const delay = new QueueDelay();
  for (let count = 0; count < streams; count++) idleness.begin(0);
  let refused = 0;
  let freeAt = 0;
  let jobAt = 0;
  for (let came = 0; came < 13_000; came += everyMs) {
    for (; job !== undefined && jobAt <= Math.max(came, freeAt); jobAt += job.everyMs)
      freeAt = Math.max(freeAt, jobAt) + job.ms;
    const now = Math.max(came, freeAt);
    if (delay.note(now - came, 20, now, idleness.has(serviceMs / 2, now))) {
      if (came >= 3000) refused++;
      continue;
    }
    const period = idleness.begin(now);
    freeAt = now + serviceMs;
    idleness.end(period, freeAt);
  }
  return refused;
}

describe('requests that had to wait for something other than requests', () => {
  const load = { job: { ms: 60, everyMs: 100 }, serviceMs: 2, everyMs: 100 };

  it.each([0, 1, 50])('are served, beside %s streams that do not end', (streams) => {
    expect(simulate({ ...load, streams })).toBe(0);
  });

  it('are refused where all places are taken', () => {
    expect(simulate({ ...load, streams: 4, capacity: 4 })).toBeGreaterThan(50);
    expect(simulate({ ...load, streams: 3, capacity: 4 })).toBe(0);
  });
});

it.each([0, 1, 50])('requests that are too many are refused beside %s streams', (streams) => {
  expect(simulate({ serviceMs: 10, everyMs: 5, streams })).toBeGreaterThan(500);
});

describe('a request that has run for long', () => {
  it('no longer counts after two seconds, and its end changes nothing', () => {
    const idleness = new Idleness(2);
    const stream = idleness.begin(1500);
    expect(idleness.has(5, 1900)).toBe(false);
    expect(idleness.has(5, 2600)).toBe(false);
    expect(idleness.has(5, 3500)).toBe(false);
    expect(idleness.has(5, 3505)).toBe(true);
    const quick = idleness.begin(3600);
    expect(idleness.has(5, 3700)).toBe(false);
    idleness.end(quick, 3710);
    idleness.end(stream, 3720);
    expect(idleness.has(5, 3715 + 5)).toBe(true);
  });

  it('leaves the only free place when it ends, and that has been free since then', () => {
    const idleness = new Idleness(1);
    const period = idleness.begin(1000);
    idleness.end(period, 9000);
    expect(idleness.has(500, 9001)).toBe(false);
    expect(idleness.has(500, 9500)).toBe(true);
  });
});
