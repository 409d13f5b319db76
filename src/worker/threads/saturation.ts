/**
 * Tells whether a worker is saturated: a new request would wait, and no thread has finished one for a while. Threads that
 * finish requests quickly are not saturated, however many requests wait.
 */

// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';

const checkMs = 10;
const stuckMs = 20;

export interface SaturationOptions {
  /** Whether no thread is free. */
  readonly isFull: () => boolean;
  readonly onBusy: () => void;
  readonly onFree: () => void;
}

export class Saturation {
  private readonly options: SaturationOptions;
  private timer: NodeJS.Timeout | undefined = undefined;
  private progressAt = 0;
  private isBusy = false;

  constructor(options: SaturationOptions) {
    this.options = options;
  }

  /** No thread is free any more. */
  noteFull(): void {
    if (this.timer !== undefined) return;
    this.progressAt = performance.now();
    const tsgunCheck = () => this.check();
    this.timer = setInterval(tsgunCheck, checkMs).unref();
  }

  /** A thread has finished a request. */
  noteProgress(now: number): void {
    this.progressAt = now;
    if (this.isBusy && !this.options.isFull()) this.free();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private check(): void {
    if (!this.options.isFull()) {
      this.stop();
      if (this.isBusy) this.free();
    } else if (!this.isBusy && performance.now() - this.progressAt >= stuckMs) {
      this.isBusy = true;
      this.options.onBusy();
    }
  }

  private free(): void {
    this.isBusy = false;
    this.progressAt = performance.now();
    this.options.onFree();
  }
}
