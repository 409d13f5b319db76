/**
 * Judges a new generation by what it does beside the old one over the same time. Pure: figures in, a verdict out.
 *
 * It is worse if it crashes where the old one does not, if more of its answers are errors, or if its answers take longer and go on doing so.
 * Each of these must be so unlikely by chance, and so large, that a hundred equal releases raise no alarm.
 */

import { fineBounds } from '../../ipc/counters.ts';
import { fisher, mannWhitney, quantileBucket, sumOf } from './statistics.ts';

/** What one of the generations has done. */
export interface Figures {
  readonly requests: number;
  /** Answers with a status of 500 or more. */
  readonly errors: number;
  /** Workers that crashed, hung, or were killed for lack of memory. */
  readonly crashes: number;
  /** How many requests took how long: a count for each of `fineBounds`, and one for those above. */
  readonly durations: readonly number[];
  /** Of these, the newest half: what is slow only at first is late in `durations` alone. All of them, if undefined. */
  readonly newest?: readonly number[];
}

/** `hook`: the user's own verdict. */
export type Fault = 'crashes' | 'errors' | 'latency' | 'hook';

export interface Verdict {
  /** `unknown`: there was too little traffic to tell. */
  readonly outcome: 'worse' | 'no_worse' | 'unknown';
  readonly faults: readonly Fault[];
}

/** Requests of the new generation from which on its figures say something. */
export const enoughRequests = 300;
/** The odds of a false alarm at the end of the trial. */
const odds = 1e-4;
/** The odds of a false alarm at each look before the end: there are many looks. */
const earlyOdds = 1e-7;
/** The odds of chance that are good enough for the newest half, which only confirms the whole. */
const newestOdds = 0.2;
const leastErrors = 3;
/** By how much the share of errors among all answers must be larger. */
const leastErrorShare = 0.01;
/** An answer is late if it takes this much longer than 95 of 100 of the old generation's. */
const lateFactor = 1.2;
/** By how much the share of late answers among all must be larger. */
const leastLateShare = 0.015;
/** How many times as long the median answer must take. */
const leastMedianFactor = 1.25;

/** @param isEnd whether this is the last look */
export function judge(fresh: Figures, old: Figures, isEnd: boolean): Verdict {
  const limit = isEnd ? odds : earlyOdds;
  const faults: Fault[] = [];
  if (hasCrashes(fresh, old)) faults.push('crashes');
  if (hasErrors(fresh, old, limit)) faults.push('errors');
  if (
    isLate(fresh.durations, old.durations, limit) &&
    isLate(fresh.newest ?? fresh.durations, old.durations, newestOdds)
  )
    faults.push('latency');
  if (faults.length > 0) return { outcome: 'worse', faults };
  const isKnown = fresh.requests >= enoughRequests && old.requests > 0;
  return { outcome: isKnown ? 'no_worse' : 'unknown', faults };
}

/** Where workers of both crash, the release is to blame only if its own do so more often. */
function hasCrashes(fresh: Figures, old: Figures): boolean {
  if (fresh.crashes === 0) return false;
  if (old.crashes === 0) return true;
  const count = Math.max(fresh.crashes, fresh.requests);
  return fisher(fresh.crashes, count, old.crashes, Math.max(old.crashes, old.requests)) < 0.01;
}

/** @param limit the odds of chance above which nothing is found */
export function hasErrors(
  fresh: Pick<Figures, 'requests' | 'errors'>,
  old: Pick<Figures, 'requests' | 'errors'>,
  limit: number,
): boolean {
  if (fresh.errors < leastErrors || old.requests === 0) return false;
  const more = fresh.errors / fresh.requests - old.errors / old.requests;
  return more >= leastErrorShare && fisher(fresh.errors, fresh.requests, old.errors, old.requests) < limit;
}

/** @param limit the odds of chance above which nothing is found */
function isLate(fresh: readonly number[], old: readonly number[], limit: number): boolean {
  const count = sumOf(fresh);
  const oldCount = sumOf(old);
  if (count === 0 || oldCount === 0) return false;
  const late = boundAfter(quantileBucket(old, 0.95));
  const [hits, oldHits] = [above(fresh, late), above(old, late)];
  const isTailLater =
    hits / count - oldHits / oldCount >= leastLateShare && fisher(hits, count, oldHits, oldCount) < limit;
  const isLater = medianOf(fresh) >= medianOf(old) * leastMedianFactor && mannWhitney(fresh, old) < limit;
  return isTailLater || isLater;
}

/** The first bucket whose values are all late. */
function boundAfter(bucket: number): number {
  const limit = (fineBounds[bucket] ?? Number.POSITIVE_INFINITY) * lateFactor;
  const found = fineBounds.findIndex((bound) => bound >= limit);
  return found === -1 ? fineBounds.length + 1 : found + 1;
}

function above(histogram: readonly number[], bucket: number): number {
  return sumOf(histogram.slice(bucket));
}

function medianOf(histogram: readonly number[]): number {
  return fineBounds[quantileBucket(histogram, 0.5)] ?? fineBounds.at(-1)!;
}

/** In milliseconds, for the log; undefined for no values. */
export function percentile95(histogram: readonly number[]): number | undefined {
  const bucket = quantileBucket(histogram, 0.95);
  return bucket === -1 ? undefined : Math.round((fineBounds[bucket] ?? fineBounds.at(-1)!) * 10_000) / 10;
}
