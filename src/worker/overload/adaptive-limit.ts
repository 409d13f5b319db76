/**
 * How many requests may be in progress at once under overload: what the capacity allows, found from how long requests take. Pure:
 * figures in, a limit out.
 *
 * Requests that take longer than their route usually does wait for something: the processor, a pool of connections, a lock. How many are
 * served at once without waiting follows from Little's law: their rate times how long they usually take. A little more than that keeps
 * what they wait for busy; the rest would only wait.
 */

/** What was seen since the last look. */
export interface Look {
  readonly ms: number;
  readonly completed: number;
  /** How long they took, and how long requests to the same routes usually take. Sums. */
  readonly actualMs: number;
  readonly usualMs: number;
  /** In progress now, and the most that were at once. */
  readonly running: number;
  readonly mostRunning: number;
  /** Of those in progress: how many take longer than usual already. */
  readonly late: number;
}

/** A request may take this many times as long as usual. */
const tolerance = 1.5;
/** A queue grows if this many times the most of calm times is in progress, and this share of that is late. */
const crowdFactor = 1.3;
const lateShare = 0.15;
const enterSlowdown = 2;
/** Chance may cause one such look, but hardly this many in a row. */
const enterLooks = 2;
/** `calmMost` takes the most of a second only if the next second is calm too. Each second multiplies the old value by `forgetting`. */
const calmPeriodMs = 1000;
const forgetting = 0.99;
/** The first limit is this share of the requests in progress; the next looks lower it. */
const entryShare = 0.7;
/** The overload is over when for this many looks no more than this share of the limit is in progress. */
const leaveShare = 0.5;
const leaveLooks = 10;
/**
 * A limit helps only if requests wait for each other. That shows when the number in progress changes: if they do, the rate stays the
 * same. If not, the rate changes with the number, and the limit is in vain. A period is this many times the mean duration.
 */
const periodTimes = 2;
const leastPeriodMs = 500;
const otherShare = 0.8;
/** If the number does not change, a higher limit is tried for one period: after 2 periods, then after 4, 8, and so on. */
const probeFactor = 1.5;
const mostPeriods = 64;
/** `calmMost` before anything is known. */
const firstMost = 10;

export class AdaptiveLimit {
  /** Infinity without overload. */
  limit = Number.POSITIVE_INFINITY;
  private readonly least: number;
  /** This many were in progress while nothing was slow, so no limit is lower. It is forgotten in a minute or two. */
  private calmMost = firstMost;
  /** The most of this second, and of the second before, which may still turn out not to have been calm. */
  private newMost = 0;
  private lastMost = 0;
  private calmMs = 0;
  /** How many are served at once, smoothed. */
  private served = 0;
  private slow = 0;
  private quiet = 0;
  private period = emptyPeriod();
  private before: { readonly running: number; readonly rate: number } | undefined = undefined;
  /** For how many periods the number of requests has not changed. */
  private stable = 0;
  private patience = 2;
  private isProbing = false;

  /** @param least the lowest limit */
  constructor(least: number) {
    this.least = least;
  }

  get isOn(): boolean {
    return this.limit !== Number.POSITIVE_INFINITY;
  }

  /** Whether nothing is slow. */
  isCalm(slowdown: number): boolean {
    return !this.isOn && slowdown < tolerance;
  }

  /** @returns the factor by which usual durations grow: 1, unless everything has become slower for a reason that no limit can mend */
  look(look: Look): number {
    const { ms, completed, actualMs, usualMs, running, mostRunning, late } = look;
    const slowdown = usualMs === 0 ? 1 : actualMs / usualMs;
    const served = usualMs / ms;
    if (!this.isOn) {
      const isCrowded = running > this.calmMost * crowdFactor && late >= running * lateShare;
      const isSlow = slowdown > enterSlowdown && running > this.calmMost;
      this.slow = isCrowded || isSlow ? this.slow + 1 : 0;
      this.noteCalm(this.slow === 0 && this.isCalm(slowdown), mostRunning, ms);
      if (this.slow >= enterLooks) this.enter(served, running);
      return 1;
    }
    this.served += (served - this.served) * 0.2;
    this.quiet = mostRunning < this.limit * leaveShare ? this.quiet + 1 : 0;
    if (this.quiet >= leaveLooks) return this.leave(1);
    const meanMs = actualMs / Math.max(1, completed);
    if (this.isInVain(look, slowdown, Math.max(leastPeriodMs, meanMs * periodTimes))) return this.leave(slowdown);
    if (this.isProbing) return 1;
    if (slowdown > tolerance) this.set(this.limit * 0.8 + this.served * tolerance * 0.2);
    else if (mostRunning >= this.limit * 0.9) this.set(this.limit * 1.1 + 1);
    return 1;
  }

  /** A second in which a queue begins to grow must not count as calm: its requests are slow only a little later. */
  private noteCalm(isCalm: boolean, mostRunning: number, ms: number): void {
    if (!isCalm) {
      this.calmMs = 0;
      this.newMost = 0;
      this.lastMost = 0;
      return;
    }
    this.newMost = Math.max(this.newMost, mostRunning);
    this.calmMs += ms;
    if (this.calmMs < calmPeriodMs) return;
    this.calmMost = Math.max(this.lastMost, this.calmMost * forgetting);
    this.lastMost = this.newMost;
    this.calmMs = 0;
    this.newMost = 0;
  }

  private enter(served: number, running: number): void {
    this.served = served;
    this.slow = 0;
    this.quiet = 0;
    this.before = undefined;
    this.period = emptyPeriod();
    this.isProbing = false;
    this.patience = 2;
    this.stable = 0;
    this.set(Math.max(served * tolerance, running * entryShare));
  }

  private leave(usualFactor: number): number {
    this.limit = Number.POSITIVE_INFINITY;
    this.noteCalm(false, 0, 0);
    return usualFactor;
  }

  /** Compares each period with the one before it. @returns whether the rate changes with the number in progress */
  private isInVain({ ms, completed, running }: Look, slowdown: number, periodMs: number): boolean {
    const { period, before } = this;
    period.ms += ms;
    period.completed += completed;
    period.runningMs += running * ms;
    if (period.ms < periodMs) return false;
    const now = { running: period.runningMs / period.ms, rate: period.completed / period.ms };
    this.before = now;
    this.period = emptyPeriod();
    if (before === undefined) return false;
    const share = now.running / before.running;
    const half = (1 + share) / 2;
    const rateShare = now.rate / before.rate;
    if (slowdown > tolerance && share <= otherShare && rateShare <= half) return true;
    if (this.isProbing) return this.endProbe(share > 1 / otherShare && rateShare >= half);
    this.stable = slowdown > tolerance && share > otherShare ? this.stable + 1 : 0;
    if (this.stable >= this.patience) this.beginProbe();
    return false;
  }

  private beginProbe(): void {
    this.stable = 0;
    this.isProbing = true;
    this.limit = Math.round(this.limit * probeFactor);
  }

  private endProbe(isInVain: boolean): boolean {
    this.isProbing = false;
    this.before = undefined;
    this.patience = Math.min(mostPeriods, this.patience * 2);
    this.set(this.limit / probeFactor);
    return isInVain;
  }

  private get floor(): number {
    return Math.max(this.least, Math.ceil(this.calmMost));
  }

  private set(limit: number): void {
    this.limit = Math.max(this.floor, Math.round(limit));
  }
}

interface Period {
  ms: number;
  completed: number;
  runningMs: number;
}

const emptyPeriod = (): Period => ({ ms: 0, completed: 0, runningMs: 0 });
