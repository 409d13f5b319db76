/** How the log tells of a worker whose main thread stands still, and what its watchdog said of it. */

import type { Hang } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Child } from '../pool.ts';
import { isSuspended } from './suspended.ts';

export type WorkerName = { readonly pid: number | undefined; readonly worker: number; readonly generation: number };

export class Hangs {
  private readonly told = new Map<Child, Hang>();

  /** From its watchdog: this child is to be killed. */
  enter(child: Child, hang: Hang): void {
    this.told.set(child, hang);
  }

  /** Whether somebody has stopped its process, so that its silence says nothing. */
  isSuspended(child: Child, { pid }: WorkerName): boolean {
    return !this.told.has(child) && pid !== undefined && isSuspended(pid);
  }

  forget(child: Child): void {
    this.told.delete(child);
  }

  /** @param patienceMs how long the master has heard nothing, where the watchdog has not spoken */
  log(log: Logger, child: Child, name: WorkerName, patienceMs: number): Hang {
    const hang = this.told.get(child) ?? {
      silentMs: Math.round(patienceMs),
      stack: 'not known: the worker’s watchdog did not answer either',
      requests: [],
    };
    const { silentMs, stack, requests } = hang;
    const fields = { ...name, silentMs, stack, requests };
    log.event('error', 'worker_hung', fields, `worker silent for ${silentMs} ms`);
    return hang;
  }
}

/** It may recover: a warning, and no event of a process's life. */
export function logStall(log: Logger, name: WorkerName, { silentMs, stack, requests }: Hang): void {
  log.say('warn', { ...name, silentMs, stack, requests }, 'worker stalled');
}
