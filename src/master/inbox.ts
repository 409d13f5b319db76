/** One queue for everything that happens to the master: signals, messages and exits of children, and the passing of time. */

import { setImmediate } from 'node:timers/promises';

const longestTimerMs = 2 ** 31 - 1;

export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly listeners = new Set<() => void>();

  push(item: T): void {
    this.items.push(item);
    for (const listener of this.listeners) listener();
  }

  /** Everything that has come, or comes within `ms`; then nothing, if it must be. */
  async next(ms: number): Promise<T[]> {
    if (this.items.length === 0) await this.change(ms);
    // A timer may fire ahead of messages that lie in the pipes already: whoever is called silent must have been.
    if (this.items.length === 0) await setImmediate();
    return this.items.splice(0);
  }

  /** Waits for the first item of a kind. It stays in the queue. */
  async find(isWanted: (item: T) => boolean): Promise<T> {
    for (;;) {
      const item = this.items.find(isWanted);
      if (item !== undefined) return item;
      await this.change(Number.POSITIVE_INFINITY);
    }
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
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
