/** What a client of HTTP/2 may do, and when it counts as gone, by a clock of the test's own. */

import { describe, expect, it } from 'vitest';
import { Allowance } from '../../../src/http/h2/allowance.ts';
import { Pulse } from '../../../src/http/h2/pulse.ts';

describe('an allowance', () => {
  it('is a burst, and so much more each second, and never more than the burst', () => {
    const allowance = new Allowance(3, 2);
    expect([1, 1, 1, 1].map((now) => allowance.take(now))).toEqual([true, true, true, false]);
    expect(allowance.take(1501)).toBe(true);
    expect([100_000, 100_000, 100_000, 100_000].map((now) => allowance.take(now))).toEqual([true, true, true, false]);
  });
});

describe('a silent client', () => {
  const run = (isDraining: boolean, answersAt?: number) => {
    const pulse = new Pulse();
    let asked = 0;
    for (let now = 1000; now <= 60_000; now += 250) {
      const heard = answersAt !== undefined && now >= answersAt ? now : 0;
      if (pulse.check(now, heard, isDraining, () => asked++)) return { goneAt: now, asked };
    }
    return { goneAt: undefined, asked };
  };

  it('is asked once, and counts as gone when it does not answer', () => {
    expect(run(false)).toEqual({ goneAt: 31_000, asked: 1 });
  });

  it('has less time where the worker is to leave', () => {
    expect(run(true)).toEqual({ goneAt: 5000, asked: 1 });
  });

  it('does not count as gone if it answers', () => {
    expect(run(false, 17_000)).toEqual({ goneAt: undefined, asked: 1 });
  });
});
