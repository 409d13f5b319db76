/** The two questions that a verdict on a release asks of its figures. Pure. */

/**
 * Fisher's exact test, one-sided: how likely it is, if both groups are alike, that the first one has this many of the hits, or more.
 * @param hits in the first group, of `count`
 * @param otherHits in the other group, of `otherCount`
 */
export function fisher(hits: number, count: number, otherHits: number, otherCount: number): number {
  const all = hits + otherHits;
  const most = Math.min(all, count);
  const constant =
    lnFactorial(all) +
    lnFactorial(count + otherCount - all) +
    lnFactorial(count) +
    lnFactorial(otherCount) -
    lnFactorial(count + otherCount);
  let sum = 0;
  for (let k = hits; k <= most; k++) {
    const rest = otherCount - (all - k);
    if (rest < 0) continue;
    sum += Math.exp(constant - lnFactorial(k) - lnFactorial(count - k) - lnFactorial(all - k) - lnFactorial(rest));
  }
  return Math.min(1, sum);
}

/** Stirling's series from 10 on: exact to 1e-9. */
function lnFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

/**
 * Mann and Whitney's test, one-sided, on two histograms with the same buckets: how likely it is, if both groups are alike, that the
 * first group's values are larger by this much, or more. The normal approximation, with ties.
 */
export function mannWhitney(first: readonly number[], other: readonly number[]): number {
  const count = sumOf(first);
  const otherCount = sumOf(other);
  const total = count + otherCount;
  if (count === 0 || otherCount === 0) return 1;
  let below = 0;
  let rankSum = 0;
  let ties = 0;
  for (const [index, here] of first.entries()) {
    const tied = here + other[index]!;
    rankSum += here * (below + (tied + 1) / 2);
    ties += tied ** 3 - tied;
    below += tied;
  }
  const u = rankSum - (count * (count + 1)) / 2;
  const variance = ((count * otherCount) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  return upperTail((u - (count * otherCount) / 2 - 0.5) / Math.sqrt(variance));
}

/** Of the standard normal distribution, by the series of Abramowitz and Stegun 26.2.17; exact to 1e-7. */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The bucket in which a quantile lies, from 0; -1 for no values. */
export function quantileBucket(histogram: readonly number[], quantile: number): number {
  let left = Math.ceil(quantile * sumOf(histogram));
  if (left === 0) return -1;
  return histogram.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
}
