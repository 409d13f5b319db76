/**
 * Waits for an address that is in use, as gunicorn does: the process before this one may be about to leave it. Only at the
 * start; at a reload the old addresses still serve.
 */

import { setTimeout } from 'node:timers/promises';
import { AddressInUse } from '../../errors.ts';
import type { Logger } from '../../logger.ts';

/** gunicorn tries five times, a second apart. */
const longestWaitMs = 5000;
const tryEveryMs = 200;

export class Patience {
  private readonly log: Logger;
  private readonly signal: AbortSignal;
  /** For all addresses together; counted from when the first is found in use. */
  private deadline: number | undefined = undefined;

  /** @param signal ends the wait: the start is given up */
  constructor(log: Logger, signal: AbortSignal) {
    this.log = log;
    this.signal = signal;
  }

  /** @throws what `bind` throws: at the end of the time if the address is in use, else at once */
  async retry<T>(bind: () => Promise<T>): Promise<T> {
    let hasSaid = false;
    for (;;) {
      try {
        return await bind();
      } catch (error) {
        if (!(error instanceof AddressInUse) || !this.mayWait()) throw error;
        const message = `${error.address} is in use: trying again for ${longestWaitMs / 1000} s (EADDRINUSE)`;
        if (!hasSaid) this.log.say('warn', { address: error.address }, message);
        hasSaid = true;
        await setTimeout(tryEveryMs, undefined, { signal: this.signal }).catch(() => {
          throw error;
        });
      }
    }
  }

  private mayWait(): boolean {
    const now = performance.now();
    this.deadline ??= now + longestWaitMs;
    return now < this.deadline && !this.signal.aborted;
  }
}
