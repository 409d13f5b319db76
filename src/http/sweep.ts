/** Checks the deadlines of all connections of a server, and keeps its coarse clock. */

// Not the globals, which an app may replace: deadlines must not stop with its fake timers.
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';

/** How often deadlines are checked. A deadline is enforced at most two of these late, and never early. */
export const sweepMs = 250;

export interface Swept {
  /** In the coarse clock; 0 for never. */
  readonly deadline: number;
  expire(): void;
  /** Checks whether a request is late. @returns when to check again */
  checkRequest(now: number): number;
}

export interface Visited {
  visit(look: (each: Swept) => void): void;
}

export class Sweep {
  /** The coarse clock: milliseconds, as of the last sweep. Whole ones: V8 keeps a fraction in an object of its own. */
  now = 0;
  private readonly all: Visited;
  private readonly hasRequestDeadlines: boolean;
  private readonly sweeper: NodeJS.Timeout;
  private requestTimer: NodeJS.Timeout | undefined = undefined;

  constructor(all: Visited, hasRequestDeadlines: boolean) {
    this.all = all;
    this.look();
    this.hasRequestDeadlines = hasRequestDeadlines;
    /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `worker/watchdog/examiner.ts`. */
    const tsgunSweep = () => this.tick();
    this.sweeper = setInterval(tsgunSweep, sweepMs);
    this.sweeper.unref();
  }

  /** Sets the coarse clock. */
  look(): void {
    this.now = Math.floor(performance.now());
  }

  /** When something that may take `ms` from now is late: never early, though the clock lags behind. */
  deadlineIn(ms: number): number {
    return this.now + 1 + ms + sweepMs;
  }

  stop(): void {
    clearInterval(this.sweeper);
    clearTimeout(this.requestTimer);
  }

  /**
   * After a while in which the loop was busy, or the process not running, the sockets are read before anyone is called
   * silent: timers come first in a turn of the loop, and what clients sent lies unread in the kernel.
   */
  private tick(): void {
    this.look();
    setImmediate(() => this.sweep());
  }

  private sweep(): void {
    this.all.visit((each) => {
      if (each.deadline !== 0 && each.deadline <= this.now) each.expire();
    });
    if (this.hasRequestDeadlines) this.checkRequests();
  }

  /** Deadlines of requests are enforced more exactly: one timer for all of them fires between two sweeps. */
  private checkRequests(): void {
    const now = performance.now();
    let next = now + sweepMs;
    this.all.visit((each) => {
      next = Math.min(next, each.checkRequest(now));
    });
    clearTimeout(this.requestTimer);
    if (next >= now + sweepMs) return;
    // After the sockets have been read, as in a sweep: the answer of another process or thread may lie there.
    const look = () => void setImmediate(() => this.checkRequests());
    this.requestTimer = setTimeout(look, Math.ceil(next - now)).unref();
  }
}
