/** One queue for everything that happens to the master: signals, messages and exits of children, and the passing of time. */

import { setImmediate } from 'node:timers/promises';

const longestTimerMs = 2 ** 31 - 1;

export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly listeners = new Set<() => void>();
  private isClosed = false;

  push(item: T): void {
    this.items.push(item);
    this.wake();
  }

  /** Resolves with all queued items, or with those that come within `ms`; the list may be empty. */
  async next(ms: number): Promise<T[]> {
    if (this.items.length === 0) await this.change(ms);
    // One whole turn of the event loop also reads what the system has by now: a beat that still lies in a pipe ends a silence.
    // And of a signal to the whole process group, a worker's reaction may be read before the signal itself.
    await setImmediate();
    await setImmediate();
    return this.items.splice(0);
  }

  /** Waits for the first item of a kind; never resolves once the inbox is closed. The item stays in the queue. */
  async find<W extends T>(isWanted: (item: T) => item is W): Promise<W> {
    for (;;) {
      const item = this.items.find(isWanted);
      if (item !== undefined) return item;
      await this.change(Number.POSITIVE_INFINITY);
    }
  }

  /** Nobody reads the inbox any more: a wait that is still open no longer keeps the process alive. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.isClosed) return;
      // Needed even if nothing is due: in a master without children, only this timer keeps the process alive.
      const timer = setTimeout(() => wake(), Math.min(Math.max(ms, 0), longestTimerMs));
      const wake = () => {
        clearTimeout(timer);
        this.listeners.delete(wake);
        resolve();
      };
      this.listeners.add(wake);
    });
  }
}
