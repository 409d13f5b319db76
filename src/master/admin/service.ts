/** The admin listeners of a running master: they answer with its state, and one that an older master has is taken over. */

import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../logger.ts';
import { type AdminState, answerAdmin } from './answers.ts';
import type { AdminListener } from './listener.ts';

export class AdminService {
  private readonly state: AdminState;
  private readonly takeOver: (listener: AdminListener) => Promise<void>;
  private isTaking = false;

  /** @param takeOver see `succession/admin.ts` */
  constructor(state: AdminState, takeOver: (listener: AdminListener) => Promise<void>) {
    this.state = state;
    this.takeOver = takeOver;
  }

  /** Lets the listener of a configuration answer. */
  serve({ admin, log }: { readonly admin?: AdminListener | undefined; readonly log: Logger }): void {
    admin?.serve(async (request) => {
      // First the loop reads what the workers have sent: a beat among it ends a silence.
      await setImmediate();
      return answerAdmin(this.state, request);
    }, log);
  }

  /** All workers are ready. */
  settle(listener: AdminListener | undefined): void {
    if (listener?.isPending !== true || this.isTaking) return;
    this.isTaking = true;
    void this.takeOver(listener).finally(() => {
      this.isTaking = false;
    });
  }
}
