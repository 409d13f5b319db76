/** Opens a worker's access log before the worker gives up its rights, enters each request and connection that ends, and reopens it. */

import type { Settings } from '../../config/settings.ts';
import { report } from '../../errors.ts';
import { type Observers, statusCode } from '../../http/observers.ts';
import type { Logger } from '../../logger.ts';
import type { WorkerName } from '../name.ts';
import type { AccessLog } from './access-log.ts';
import type { Entry } from './entry.ts';

/** A worker whose access log cannot be opened serves all the same, as with the error log. */
export function startAccessLog(
  Log: typeof AccessLog | undefined,
  settings: Settings,
  { worker }: WorkerName,
  observers: Observers,
  log: Logger,
): AccessLog | undefined {
  const { accessLogfile, workerClass } = settings;
  if (Log === undefined || accessLogfile === undefined) return undefined;
  const access = new Log(accessLogfile, settings, { pid: process.pid, worker, class: workerClass }, log);
  try {
    access.open();
  } catch (error) {
    log.say('error', { error: report(error).message }, 'the access log cannot be opened: tsgun tries again');
  }
  subscribe(access.enter, observers);
  return access;
}

const nothing = { responseFields: [] };

/** @param enter is called with each request that has ended */
export function subscribe(enter: (entry: Entry) => void, observers: Observers): void {
  observers.addCounter({
    count(exchange, outcome, endedAt) {
      const { head, status, sentBytes, receivedBytes, startedAt, queueMs, cost, ends } = exchange;
      // The request got its line when its client left.
      if (outcome === 'unheard') return;
      enter({
        head,
        outcome,
        status: statusCode(status),
        sentBytes,
        receivedBytes,
        endedAt,
        durationMs: endedAt - startedAt,
        queueMs,
        cpuMs: cost?.cpuMs,
        ends,
        answer: exchange,
      });
    },
  });
  observers.onConnectionOver((record) =>
    enter({
      ...record,
      endedAt: performance.now(),
      head: undefined,
      status: undefined,
      queueMs: undefined,
      cpuMs: undefined,
      answer: nothing,
    }),
  );
}

export function reopenAccessLog(access: AccessLog | undefined, log: Logger): void {
  try {
    access?.reopen();
  } catch (error) {
    const fields = { error: report(error).message };
    log.say('error', fields, 'the access log cannot be reopened: the old one stays in use');
  }
}
