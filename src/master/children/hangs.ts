/** How the log tells of a worker whose main thread stands still, and what its watchdog said of it. */

import type { Hang, WatchdogMessage } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Child } from '../pool.ts';
import { isSuspended } from './suspended.ts';

/** How the log names a worker. */
export type WorkerName = Pick<Child, 'pid' | 'worker' | 'generation'>;

export function nameOf({ pid, worker, generation }: WorkerName): WorkerName {
  return { pid, worker, generation };
}

type Report = Hang & Pick<WatchdogMessage, 'type'>;

export class Hangs {
  /** The last that was said of each; that it is hung is the last word. */
  private readonly reports = new Map<Child, Report>();

  /** From its watchdog. */
  enter(child: Child, report: Report): void {
    if (this.reports.get(child)?.type !== 'hung') this.reports.set(child, report);
  }

  forget(child: Child): void {
    this.reports.delete(child);
  }

  /** Whether somebody has stopped its process, so that its silence says nothing. */
  isSuspended(child: Child): boolean {
    return this.reports.get(child)?.type !== 'hung' && child.pid !== undefined && isSuspended(child.pid);
  }

  /** @param patienceMs how long the master has heard nothing, where the watchdog has not spoken */
  logHung(log: Logger, child: Child, patienceMs: number): Hang {
    const hang = this.of(child, patienceMs);
    const fields = { ...nameOf(child), ...hang };
    log.event('error', 'worker_hung', fields, `worker silent for ${hang.silentMs} ms`);
    return hang;
  }

  /** It was told to finish, and can neither do that nor end itself. */
  logOverstay(log: Logger, child: Child): void {
    const { stack, requests } = this.of(child, 0);
    const fields = { ...nameOf(child), reason: child.reason, cut: requests.length, requests, stack };
    log.say('warn', fields, 'out of time and blocked: worker killed, requests cut');
  }

  private of(child: Child, patienceMs: number): Hang {
    const report = this.reports.get(child);
    const silentMs = Math.round(Math.max(patienceMs, report?.silentMs ?? 0));
    if (report === undefined)
      return { silentMs, stack: 'not known: the worker’s watchdog did not answer either', requests: [] };
    const { stack, requests, type } = report;
    if (type !== 'stalled') return { silentMs: report.silentMs, stack, requests };
    return {
      silentMs,
      stack: `${stack}\n(as of ${report.silentMs} ms of silence: later there was no answer)`,
      requests,
    };
  }
}

/** It may recover: a warning, and no event of a process's life. */
export function logStall(log: Logger, child: Child, { silentMs, stack, requests }: Hang): void {
  log.say('warn', { ...nameOf(child), silentMs, stack, requests }, 'worker stalled');
}
