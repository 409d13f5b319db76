/**
 * How long a worker's number stays empty after a failure. Each number counts for itself, so that one that cannot come up
 * does not hold up the others. No clock here: time is an argument.
 */

/** What is known of a number whose last worker failed. */
export interface Backoff {
  /** Failures in a row. */
  readonly failures: number;
  /** No worker with this number is spawned before. */
  readonly resumeAt: number;
}

/** A worker that was ready for this long did not fail to boot. */
export const infancyMs = 5000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Another's hand, as far as is known: not the app's doing, and not a reason to wait. */
const longestKilledPauseMs = 250;

/**
 * The first failure costs nothing; each further one in a row doubles the pause.
 * @param isKilled whether somebody else ended the worker
 * @param random from 0 to 1: numbers that failed together do not come back together
 */
export function backOff(before: Backoff | undefined, isKilled: boolean, random: number, now: number): Backoff {
  const failures = (before?.failures ?? 0) + 1;
  const longestMs = isKilled ? longestKilledPauseMs : longestPauseMs;
  const jitter = 0.75 + random / 2;
  const pauseMs = failures === 1 ? 0 : Math.min(longestMs, firstPauseMs * 2 ** (failures - 2)) * jitter;
  return { failures, resumeAt: now + pauseMs };
}
