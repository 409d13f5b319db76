/** The log's lines for a worker whose main thread is blocked, with its watchdog's report. */

import { cpuWaitMs } from '../../ipc/cpu-wait.ts';
import type { AnsweredRequest, Hang, Slow, WatchdogMessage } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Child } from '../pool.ts';
import { isSuspended } from './suspended.ts';

/** How the log names a worker. */
export type WorkerName = Pick<Child, 'pid' | 'worker' | 'generation'>;

export function nameOf({ pid, worker, generation }: WorkerName): WorkerName {
  return { pid, worker, generation };
}

type Report = Hang & Pick<WatchdogMessage, 'type'>;

interface Question {
  readonly at: number;
  /** How long its process had waited for a processor by then. */
  readonly waitedMs: number;
  readonly extensions: number;
}

const maxExtensions = 3;

export class Hangs {
  /** The last line about each worker; after "hung", no further line follows. */
  private readonly reports = new Map<Child, Report>();
  private readonly questions = new Map<Child, Question>();

  /** From its watchdog. */
  enter(child: Child, report: Report): void {
    if (this.reports.get(child)?.type !== 'hung') this.reports.set(child, report);
  }

  /** The requests that its watchdog has answered in its place. */
  answered(child: Child): readonly AnsweredRequest[] {
    return this.reports.get(child)?.answered ?? [];
  }

  /** The stack of the code that does not return, if its watchdog has reported it. */
  stackOf(child: Child): string | undefined {
    return this.reports.get(child)?.stack;
  }

  forget(child: Child): void {
    this.questions.delete(child);
    this.reports.delete(child);
  }

  /** Its watchdog was asked what it does. */
  noteQuestioned(child: Child, now: number): void {
    if (child.pid !== undefined) this.questions.set(child, { at: now, waitedMs: cpuWaitMs(child.pid), extensions: 0 });
  }

  /**
   * Whether its watchdog has not answered because its process gets no processor: then it has more time, a few times at most.
   * Asked when that time is over.
   */
  isStarved(child: Child, now: number): boolean {
    const question = this.questions.get(child);
    if (question === undefined || child.pid === undefined || this.reports.get(child)?.type === 'hung') return false;
    const waitedMs = cpuWaitMs(child.pid);
    const isStarved = waitedMs - question.waitedMs >= (now - question.at) / 2 && question.extensions < maxExtensions;
    this.questions.set(child, { at: now, waitedMs, extensions: question.extensions + 1 });
    return isStarved;
  }

  /** Whether somebody has stopped its process, so that its silence has another cause. */
  isSuspended(child: Child): boolean {
    return this.reports.get(child)?.type !== 'hung' && child.pid !== undefined && isSuspended(child.pid);
  }

  /** @param patienceMs how long the master has received nothing, used if the watchdog has not reported */
  logHung(log: Logger, child: Child, patienceMs: number): Hang {
    const hang = this.of(child, patienceMs);
    const fields = { ...nameOf(child), ...hang };
    log.event('error', 'worker_hung', fields, `worker silent for ${hang.silentMs} ms`);
    return hang;
  }

  /** It was asked to finish, but is blocked and cannot even end itself. */
  logOverstay(log: Logger, child: Child): void {
    const { stack, requests } = this.of(child, 0);
    const fields = { ...nameOf(child), reason: child.reason, cut: requests.length, requests, stack };
    log.event('warn', 'worker_hung', fields, 'out of time and blocked: worker killed, requests cut');
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

/** It may recover, so this is a warning and not an event of the process's life. */
export function logStall(log: Logger, child: Child, { silentMs, stack, requests }: Hang): void {
  const where = child.state === 'booting' ? 'worker stalled while it loads the app' : 'worker stalled';
  log.say('warn', { ...nameOf(child), silentMs, stack, requests }, where);
}

/** A request has taken longer than `--slow-request`. */
export function logSlow(log: Logger, child: Child, { method, path, ms, stack, profile }: Slow): void {
  const fields = { ...nameOf(child), method, path, ms, stack, ...(profile === undefined ? {} : { profile }) };
  log.event('warn', 'request_slow', fields, `a request has taken ${ms} ms until now`);
}
