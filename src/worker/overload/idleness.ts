/**
 * Whether a worker has had time for a request that did not come. A request that has run for long, such as a stream of server-sent
 * events, does not count where others can run beside it: such a worker would never be idle. Pure.
 */

/** After this time at the least, and twice this time at the most, a request has run for long. */
const longMs = 1000;

export class Idleness {
  private readonly capacity: number;
  private running = 0;
  private period = 0;
  /** Of the requests in progress: how many began in this period, and in the one before. */
  private begun = 0;
  private begunBefore = 0;
  /** Since when all that runs has run for long. */
  private since = 0;

  /** @param capacity how many requests can run at once */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** @returns to be given back at its end */
  begin(now: number): number {
    this.follow(now);
    this.running++;
    this.begun++;
    return this.period;
  }

  /** @param period in which it began */
  end(period: number, now: number): void {
    this.follow(now);
    if (this.running-- === this.capacity) this.since = now;
    if (period === this.period) this.begun--;
    else if (period === this.period - 1) this.begunBefore--;
    else return;
    if (this.recent === 0) this.since = now;
  }

  /** @param ms how much time must have been left */
  has(ms: number, now: number): boolean {
    this.follow(now);
    return this.recent === 0 && this.running < this.capacity && now - this.since >= ms;
  }

  private get recent(): number {
    return this.begun + this.begunBefore;
  }

  private follow(now: number): void {
    const period = Math.floor(now / longMs);
    if (period <= this.period) return;
    const before = this.recent;
    this.begunBefore = period === this.period + 1 ? this.begun : 0;
    this.begun = 0;
    this.period = period;
    if (before > 0 && this.recent === 0) this.since = now;
  }
}
