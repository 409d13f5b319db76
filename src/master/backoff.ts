/**
 * How long a number stays without a worker after its last one failed. Each number counts for itself: a worker that fails to
 * boot does not hold up the others. No clock here: time is an argument.
 */

/** What is known of a number whose last worker failed. */
export interface Backoff {
  /** Failures in a row. */
  readonly failures: number;
  /** No worker with this number is spawned before this time. */
  readonly resumeAt: number;
}

/** A worker that has been ready for this long has booted well: its death no longer counts as a failure to boot. */
export const infancyMs = 5000;
const firstPauseMs = 500;
/** The longest time that a number stays empty, before jitter, by the reason of its worker's failure. */
const longestPauses = {
  failure: 30_000,
  /** As far as is known, something outside of tsgun killed it. The app did not fail, so the pause stays short. */
  kill: 250,
  /** There was no descriptor or no memory for a process. Another try costs almost nothing, and may succeed at any moment. */
  fork: 750,
};

export type FailureCause = keyof typeof longestPauses;

/**
 * The first failure costs nothing; each further one in a row doubles the pause.
 * @param random from 0 to 1, for a jitter of a quarter: numbers that failed together do not come back together
 */
export function backOff(before: Backoff | undefined, cause: FailureCause, random: number, now: number): Backoff {
  const failures = (before?.failures ?? 0) + 1;
  const jitter = 0.75 + random / 2;
  const pauseMs = failures === 1 ? 0 : Math.min(longestPauses[cause], firstPauseMs * 2 ** (failures - 2)) * jitter;
  return { failures, resumeAt: now + pauseMs };
}
