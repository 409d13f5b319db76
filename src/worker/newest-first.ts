/**
 * With `--shed auto`, the newest requests go first once the oldest has waited too long. Served in order, all would be answered too late. This
 * way the newest are in time, and those whose clients may have given up come last.
 */

const tooLongMs = 1000;

/** @param since when the oldest began to wait */
export function isTooLong(since: number, now: number): boolean {
  return now - since > tooLongMs;
}
