/**
 * Handlers at work on requests whose clients have left: what such a request asks for may still be done. A drain waits for
 * them, as long as they would hold their place: see `departure.ts`.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Exchange } from './exchange.ts';
import { departureMs } from './limits.ts';

export class Leftovers {
  private readonly running = new Set<Promise<void>>();

  add({ settled, leftAt }: Exchange): void {
    if (settled === undefined) return;
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, leftAt + departureMs - performance.now()));
      void settled.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.running.add(over);
    void over.then(() => this.running.delete(over));
  }

  async finish(): Promise<void> {
    await Promise.all(this.running);
  }
}
