/**
 * What goes on without a client: handlers of requests whose clients have left, because such a request may still take effect;
 * and work that an app continues after its answer (`waitUntil`). A drain waits for both; for the former as long as they keep
 * their place: see `departure.ts`.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Exchange } from './exchange.ts';
import { departureMs } from './limits.ts';

export class Leftovers {
  private readonly running = new Set<Promise<void>>();
  private isGivenUp = false;
  private onGivenUp: (() => void) | undefined = undefined;

  add({ settled, leftAt }: Exchange): void {
    if (settled === undefined) return;
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, leftAt + departureMs - performance.now()));
      void settled.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.addWork(over);
  }

  /** @param work never rejects */
  addWork(work: Promise<void>): void {
    this.running.add(work);
    void work.then(() => this.running.delete(work));
  }

  get isEmpty(): boolean {
    return this.running.size === 0;
  }

  /** Resolves when nothing is left. What goes on may add more. */
  async finish(): Promise<void> {
    const givenUp = new Promise<void>((resolve) => (this.onGivenUp = resolve));
    while (!this.isEmpty && !this.isGivenUp) await Promise.race([Promise.all(this.running), givenUp]);
  }

  /** The time is over. */
  giveUp(): void {
    this.isGivenUp = true;
    this.onGivenUp?.();
  }
}
