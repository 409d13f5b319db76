/**
 * When the newest of the requests that wait go first (`--shed auto`): a queue that is served in order, and has become too long, answers all of them
 * too late. From the other end, the newest are in time, and those that nobody may wait for any more come last.
 */

const tooLongMs = 1000;

/** @param since when the oldest began to wait */
export function isTooLong(since: number, now: number): boolean {
  return now - since > tooLongMs;
}
