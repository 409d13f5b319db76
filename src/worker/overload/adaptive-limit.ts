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
/** A queue grows if this many times as many requests are in progress as ever in calm times, and this share of them is late. */
const crowdFactor = 1.3;
const lateShare = 0.15;
const enterSlowdown = 2;
/** Chance makes one such look, and hardly so many in a row. */
const enterLooks = 2;
/** The most of a second counts if the second after it is calm too. Each second multiplies it by `forgetting`. */
const calmPeriodMs = 1000;
const forgetting = 0.99;
/** The first limit is this share of the requests in progress; the next looks lower it. */
const entryShare = 0.7;
/** The overload is over when for this many looks no more than this share of the limit is in progress. */
const leaveShare = 0.5;
const leaveLooks = 10;
/**
 * Whether requests wait for each other shows where their number changes: if they do, as many are done in a second as before. If not, it
 * changes as their number does, and the limit is in vain. It is looked at over so many of their durations.
 */
const periodTimes = 2;
const leastPeriodMs = 500;
const otherShare = 0.8;
/** Where the number stays, more are let in for a period to see; and again after two periods, four, and so on. */
const probeFactor = 1.5;
const mostPeriods = 64;
/** Before anything is known. */
const firstMost = 10;

export class AdaptiveLimit {
  /** Infinity without overload. */
  limit = Number.POSITIVE_INFINITY;
  private readonly least: number;
  /** So many were in progress while nothing was slow: fewer are never too many. It is forgotten in a minute or two. */
  private calmMost = firstMost;
  /** The same of the last moments, and of the second before, which may yet turn out otherwise. */
  private newMost = 0;
  private lastMost = 0;
  private calmMs = 0;
  /** How many are served at once, smoothed. */
  private served = 0;
  private slow = 0;
  private quiet = 0;
  private period = emptyPeriod();
  private before: { readonly running: number; readonly rate: number } | undefined = undefined;
  /** For so many periods the number of requests has not changed. */
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

  /** @returns by how much more what is usual grows: 1, unless all has become slower for a reason that no limit mends */
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

  /** What a growing queue brings is slow a little later, and not calm. */
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

  /** Compares each period with the one before it. @returns whether as many more or fewer are done as there are in progress */
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
