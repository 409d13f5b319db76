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

  /** Everything that has come, or comes within `ms`; then nothing, if it must be. */
  async next(ms: number): Promise<T[]> {
    if (this.items.length === 0) await this.change(ms);
    // A timer may fire ahead of messages that lie in the pipes already: whoever is called silent must have been.
    if (this.items.length === 0) await setImmediate();
    return this.items.splice(0);
  }

  /** Waits for the first item of a kind; for ever once it is closed. The item stays in the queue. */
  async find<W extends T>(isWanted: (item: T) => item is W): Promise<W> {
    for (;;) {
      const item = this.items.find(isWanted);
      if (item !== undefined) return item;
      await this.change(Number.POSITIVE_INFINITY);
    }
  }

  /** Nobody reads it any more: what still waits here does not keep the process alive. */
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
      // Also where nothing is due: a master without a child has nothing else that keeps its process alive.
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
