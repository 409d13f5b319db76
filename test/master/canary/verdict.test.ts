/** Releases that are tried: the figures that their traffic makes, and what they are judged to be. */

import { describe, expect, it } from 'vitest';
import { at, fineBounds, observeFinely, recordLength } from '../../../src/ipc/counters.ts';
import { enoughRequests, type Figures, judge } from '../../../src/master/canary/verdict.ts';
import { seededRandom } from '../../http/cuts.ts';

interface Behaviour {
  readonly errorShare?: number;
  /** Of all answers. */
  readonly factor?: number;
  /** Of the slowest twentieth. */
  readonly tailFactor?: number;
}

/** Times with a long tail, as services have them: the median is 20 ms, and 95 of 100 are below 60 ms. */
function traffic(
  count: number,
  random: () => number,
  { errorShare = 0.002, factor = 1, tailFactor = 1 }: Behaviour = {},
): Figures {
  const record = new Float64Array(recordLength);
  let errors = 0;
  for (let index = 0; index < count; index++) {
    if (random() < errorShare) errors++;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const isTail = normal > 1.645;
    observeFinely(record, 0.02 * Math.exp(0.668 * normal) * factor * (isTail ? tailFactor : 1));
  }
  const durations = [...record.slice(at.fine, at.fine + fineBounds.length + 1)];
  return { requests: count, errors, crashes: 0, durations };
}

const trials = 100;
/** A hundred trials, each with traffic of its own: how many are judged so. */
function outcomes(fresh: number, old: number, behaviour: Behaviour = {}): Record<string, number> {
  const found: Record<string, number> = {};
  for (let trial = 0; trial < trials; trial++) {
    const random = seededRandom(trial + 1);
    const { outcome } = judge(traffic(fresh, random, behaviour), traffic(old, random), true);
    found[outcome] = (found[outcome] ?? 0) + 1;
  }
  return found;
}

describe('a release on trial at 100 requests a second, one worker of five', () => {
  it('that equals the old one raises no alarm in a hundred trials', () => {
    expect(outcomes(500, 2000)).toEqual({ no_worse: trials });
  });

  it('with one error in twenty answers is worse', () => {
    expect(outcomes(500, 2000, { errorShare: 0.05 })).toEqual({ worse: trials });
  });

  it('half as slow again is worse', () => {
    expect(outcomes(500, 2000, { factor: 1.5 })).toEqual({ worse: trials });
  });

  it('whose slowest twentieth takes half as long again, and no other answer, is worse where there is more traffic', () => {
    expect(outcomes(3000, 12_000, { tailFactor: 1.5 }).worse).toBeGreaterThanOrEqual(95);
  });

  it('a little slower is none the worse: a tenth is within what machines differ by', () => {
    expect(outcomes(500, 2000, { factor: 1.1 }).no_worse).toBeGreaterThanOrEqual(99);
  });

  it('with too little traffic is not known', () => {
    expect(outcomes(enoughRequests - 1, 1200)).toEqual({ unknown: trials });
    expect(outcomes(500, 0)).toEqual({ unknown: trials });
  });
});

describe('a verdict', () => {
  const figures = (changes: Partial<Figures> = {}): Figures => ({
    ...traffic(500, seededRandom(7)),
    errors: 0,
    ...changes,
  });

  it.each<[string, Partial<Figures>, Partial<Figures>, string[]]>([
    ['a crash where the old workers have none', { crashes: 1 }, {}, ['crashes']],
    ['a crash where the old ones crash as often', { crashes: 1 }, { crashes: 2, requests: 1500 }, []],
    ['crashes where the old ones crash less often', { crashes: 5 }, { crashes: 1, requests: 5000 }, ['crashes']],
    ['two errors, whatever the odds', { errors: 2 }, { requests: 100_000 }, []],
    ['errors as the old ones have', { errors: 25 }, { errors: 100, requests: 2000 }, []],
    ['a few more errors than one in a hundred', { errors: 9 }, { requests: 2000 }, ['errors']],
    ['errors of all requests', { errors: 500 }, { requests: 2000 }, ['errors']],
  ])('%s', (_, fresh, old, faults) => {
    expect(judge(figures(fresh), figures(old), true).faults).toEqual(faults);
  });

  it('before the end takes better odds', () => {
    const fresh = figures({ errors: 9 });
    const old = figures({ requests: 2000 });
    expect(judge(fresh, old, false).outcome).toBe('no_worse');
    expect(judge(figures({ errors: 40 }), old, false).outcome).toBe('worse');
  });
});
