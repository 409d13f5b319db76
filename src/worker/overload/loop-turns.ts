/**
 * How long a request has waited for the event loop before it was read. All that lies in the sockets when a turn of the loop begins is
 * read one after the other in that turn; what came while the turn before it ran has waited since then. Only the beginnings of the
 * turns are known, and not when the bytes arrived, so this is an upper bound.
 */

// Not the globals, which an app may replace.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** If the loop slept for less than this between two turns, it was busy throughout. */
const idleMs = 0.2;
const smoothing = 0.1;

export class LoopTurns {
  /** How much of the loop's time a request takes, on average. */
  msPerRequest = 0;
  private isOpen = false;
  private beganAt = 0;
  /** Since when what is read in this turn may have waited. */
  private since = 0;
  private idle = 0;
  private requests = 0;

  /** @param now when the request was read */
  waitOf(now: number): number {
    if (!this.isOpen) this.begin(now);
    return now - this.since;
  }

  /** A request that was read in this turn is given to the app. */
  noteTaken(): void {
    this.requests++;
  }

  private begin(now: number): void {
    const { idle } = performance.eventLoopUtilization();
    this.since = idle - this.idle < idleMs ? this.beganAt : now;
    this.idle = idle;
    this.beganAt = now;
    this.requests = 0;
    this.isOpen = true;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    this.isOpen = false;
    if (this.requests === 0) return;
    const ms = (performance.now() - this.beganAt) / this.requests;
    this.msPerRequest += (ms - this.msPerRequest) * smoothing;
  };
}
