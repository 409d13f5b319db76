/** One queue for everything that happens to the master: signals, messages and exits of children, and the passing of time. */

export class Inbox<T> {
  private readonly items: T[] = [];
  private wake: (() => void) | undefined = undefined;

  push(item: T): void {
    this.items.push(item);
    this.wake?.();
  }

  /** The next item, or undefined when there is none within `ms`. */
  async next(ms: number): Promise<T | undefined> {
    if (this.items.length === 0) await this.wait(ms);
    return this.items.shift();
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const longestTimer = 2 ** 31 - 1;
      const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.min(Math.max(ms, 0), longestTimer)) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }
}
