import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisher, mannWhitney, quantileBucket } from '../../../src/master/canary/statistics.ts';

describe("Fisher's exact test, one-sided", () => {
  // By hand: the hypergeometric distribution.
  it.each([
    ['the lady tasting tea: all four right', 4, 4, 0, 4, 1 / 70],
    ['three of four right', 3, 4, 1, 4, 17 / 70],
    ['none', 0, 5, 0, 5, 1],
    ['all hits in a group of one of five', 1, 1, 0, 4, 1 / 5],
    ['two of two in a tenth', 2, 10, 0, 90, (10 * 9) / (100 * 99)],
  ])('%s', (_, hits, count, otherHits, otherCount, odds) => {
    expect(fisher(hits, count, otherHits, otherCount)).toBeCloseTo(odds, 9);
  });

  it('is a probability, falls with each further hit, and has the sum of the whole distribution at its beginning', () => {
    const table = fc.tuple(fc.nat(40), fc.nat(400), fc.nat(40), fc.nat(400));
    fc.assert(
      fc.property(table, ([hits, misses, otherHits, otherMisses]) => {
        const all = hits + otherHits;
        const [count, otherCount] = [hits + misses, otherHits + otherMisses];
        const least = Math.max(0, all - otherCount);
        expect(fisher(least, count, all - least, otherCount)).toBeCloseTo(1, 6);
        const odds = fisher(hits, count, otherHits, otherCount);
        expect(odds).toBeLessThanOrEqual(1);
        if (hits > least) expect(fisher(hits - 1, count, otherHits + 1, otherCount)).toBeGreaterThanOrEqual(odds);
      }),
    );
  });
});

describe('the test of Mann and Whitney, one-sided', () => {
  it('of equal groups is even, and says nothing where there is one bucket or no value', () => {
    expect(mannWhitney([50, 50, 50], [50, 50, 50])).toBeCloseTo(0.5, 2);
    expect(mannWhitney([50], [70])).toBe(1);
    expect(mannWhitney([0, 0], [1, 2])).toBe(1);
  });

  it('sees a shift to later buckets, and not one to earlier ones', () => {
    expect(mannWhitney([10, 50, 40], [40, 50, 10])).toBeLessThan(1e-6);
    expect(mannWhitney([40, 50, 10], [10, 50, 40])).toBeGreaterThan(1 - 1e-6);
  });

  it('is what it is by ranks: 1, 2, 4 against 3, 5, 6', () => {
    // U = 1 of 9; mean 4.5; variance 3 * 3 * 7 / 12; the tail beyond (1 - 4.5 - 0.5) / 2.2913 = -1.7457 is 0.9596.
    expect(mannWhitney([1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1])).toBeCloseTo(0.9596, 3);
  });
});

it.each([
  [[0, 0], 0.5, -1],
  [[1, 1], 0.5, 0],
  [[1, 1], 0.51, 1],
  [[94, 5, 1], 0.95, 1],
  [[0, 0, 3], 0.95, 2],
])('in %j the quantile %d lies in bucket %i', (histogram, quantile, bucket) => {
  expect(quantileBucket(histogram, quantile)).toBe(bucket);
});
