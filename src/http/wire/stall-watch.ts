/** Watches one connection whose client should read: `onStall` is called when the kernel takes no bytes for a whole interval. */

// Not the globals, which an app may replace.
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers';

export interface SendQueue {
  /** What the kernel has taken so far. */
  readonly takenBytes: number;
  /** What it has not taken yet. */
  readonly untakenBytes: number;
}

export class StallWatch {
  /** Nothing waits any more, or the stall was reported. */
  isOver = false;
  private readonly queue: SendQueue;
  private readonly ms: number;
  private readonly onStall: () => void;
  private timer: NodeJS.Timeout | undefined = undefined;
  private lastTurn: NodeJS.Immediate | undefined = undefined;

  constructor(queue: SendQueue, ms: number, onStall: () => void) {
    this.queue = queue;
    this.ms = ms;
    this.onStall = onStall;
    this.awaitProgress();
  }

  private awaitProgress(): void {
    const before = this.queue.takenBytes;
    this.timer = setTimeout(() => {
      // When a suspended process runs again, its timers come first. What the kernel can take by now is written after them.
      this.lastTurn = setImmediate(() => this.check(before));
    }, this.ms).unref();
  }

  private check(before: number): void {
    const isWaiting = this.queue.untakenBytes > 0;
    if (isWaiting && this.queue.takenBytes > before) return this.awaitProgress();
    this.isOver = true;
    if (isWaiting) this.onStall();
  }

  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.lastTurn);
  }
}

/**
 * @param ms 0 ends the watch
 * @returns the watch that runs from now on. It is the one before where that still runs: an app that keeps writing would
 *   otherwise postpone its end for ever.
 */
export function watchStall(
  before: StallWatch | undefined,
  queue: SendQueue,
  ms: number,
  onStall: (() => void) | undefined,
): StallWatch | undefined {
  if (ms > 0 && onStall !== undefined) return before?.isOver === false ? before : new StallWatch(queue, ms, onStall);
  before?.stop();
  return undefined;
}
