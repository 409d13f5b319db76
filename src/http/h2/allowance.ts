/** Limits how often a client may do what costs the server more than the client: a burst, and a rate per second. */
export class Allowance {
  private readonly burst: number;
  private readonly perSecond: number;
  private left: number;
  private at = 0;

  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.left = burst;
  }

  /** @param now in milliseconds @returns false if the allowance is used up */
  take(now: number, count = 1): boolean {
    if (this.at !== 0) this.left = Math.min(this.burst, this.left + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    this.left -= count;
    return this.left >= 0;
  }
}
