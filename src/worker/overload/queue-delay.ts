/**
 * Whether requests wait too long before they are read, by the rule of CoDel (RFC 8289). Some wait in every burst; there is overload when
 * all do for a while. Then those that have waited too long are refused, so that the next are served in time. Pure.
 */

/** A queue stands if no request in this time waited less than the limit. */
const intervalMs = 100;
const standingIntervals = 2;
/** The overload is over when for this long no request has waited too long. */
const calmMs = 1000;

export class QueueDelay {
  isOverloaded = false;
  private since = 0;
  private least = Number.POSITIVE_INFINITY;
  private standing = 0;
  private lateAt = 0;

  /**
   * A request has come that has waited.
   * @param limitMs how long it may wait
   * @param isIdle whether the worker has had nothing to do for a while: to refuse the request then helps nobody
   * @returns whether to refuse it
   */
  note(waitMs: number, limitMs: number, now: number, isIdle = false): boolean {
    this.least = Math.min(this.least, waitMs);
    if (now - this.since >= intervalMs) {
      this.standing = this.least > limitMs ? this.standing + 1 : 0;
      this.since = now;
      this.least = Number.POSITIVE_INFINITY;
    }
    const isLate = waitMs > limitMs;
    if (isLate) this.lateAt = now;
    if (this.standing >= standingIntervals) this.isOverloaded = true;
    else if (now - this.lateAt > calmMs) this.isOverloaded = false;
    return this.isOverloaded && isLate && !isIdle;
  }

  /** Called at intervals: if no request comes, `note` does not find the end. */
  settle(now: number): void {
    if (now - this.lateAt <= calmMs) return;
    this.isOverloaded = false;
    this.standing = 0;
  }
}
