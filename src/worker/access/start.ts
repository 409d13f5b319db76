/** The access log of a worker: opened while it has all its rights, told of all that is over, and reopened at a word. */

import { report } from '../../errors.ts';
import type { Observers } from '../../http/observers.ts';
import type { WorkerOrder } from '../../ipc/order.ts';
import type { Logger } from '../../logger.ts';
import type { AccessLog } from './access-log.ts';
import type { Entry } from './entry.ts';

/** A worker that serves without its log is better than none, as with the error log. */
export function startAccessLog(
  Log: typeof AccessLog | undefined,
  { settings, worker }: WorkerOrder,
  observers: Observers,
  log: Logger,
): AccessLog | undefined {
  const { accessLogfile, workerClass } = settings;
  if (Log === undefined || accessLogfile === undefined) return undefined;
  const access = new Log(accessLogfile, settings, { pid: process.pid, worker, class: workerClass }, log);
  try {
    access.open();
  } catch (error) {
    log.say('error', { error: report(error).message }, 'the access log cannot be opened: it is tried again');
  }
  subscribe(access.enter, observers);
  return access;
}

/** @param enter takes what each line is made of */
export function subscribe(enter: (entry: Entry) => void, observers: Observers): void {
  observers.onOver((record) => {
    // It had its line when its client left.
    if (record.outcome !== 'unheard') enter(record);
  });
  observers.onConnectionOver((record) =>
    enter({ ...record, head: undefined, status: undefined, queueMs: undefined, cpuMs: undefined, responseFields: [] }),
  );
}

export function reopenAccessLog(access: AccessLog | undefined, log: Logger): void {
  try {
    access?.reopen();
  } catch (error) {
    const fields = { error: report(error).message };
    log.say('error', fields, 'the access log is not reopened: the old one is written on');
  }
}
