/**
 * Whether a worker is too busy for more connections: requests wait, and no thread has finished one for a while. Threads
 * that are merely quick in turn are not too busy, however much waits.
 */

const lookMs = 10;
const stuckMs = 20;
/** No longer than this at a time: where all workers are busy, newcomers have a right to queue as well. */
const longestMs = 1000;

export interface PressureOptions {
  /** Whether requests wait that no thread has. */
  readonly isWaiting: () => boolean;
  readonly onBusy: () => void;
  readonly onFree: () => void;
}

export class Pressure {
  private readonly options: PressureOptions;
  private timer: NodeJS.Timeout | undefined = undefined;
  private progressAt = 0;
  private busySince = 0;

  constructor(options: PressureOptions) {
    this.options = options;
  }

  /** A request has to wait. */
  noteWaiting(): void {
    if (this.timer !== undefined) return;
    this.progressAt = performance.now();
    this.timer = setInterval(() => this.look(), lookMs).unref();
  }

  /** A thread has finished a request. */
  noteProgress(now: number): void {
    this.progressAt = now;
    if (this.busySince !== 0 && !this.options.isWaiting()) this.free();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = performance.now();
    if (!this.options.isWaiting()) {
      this.stop();
      if (this.busySince !== 0) this.free();
    } else if (this.busySince !== 0) {
      if (now - this.busySince >= longestMs) this.free();
    } else if (now - this.progressAt >= stuckMs) {
      this.busySince = now;
      this.options.onBusy();
    }
  }

  private free(): void {
    this.busySince = 0;
    this.progressAt = performance.now();
    this.options.onFree();
  }
}
