/** What every worker process consists of before its app is loaded: each part is made once, here. */

import { Observers } from '../http/observers.ts';
import { AnswerClaims } from '../http/wire/answer-claims.ts';
import type { WorkerOrder } from '../ipc/order.ts';
import { Shortages } from '../ipc/shortages.ts';
import type { OwnLogger } from '../logger.ts';
import { Certificates } from './certificates.ts';
import { Health } from './health.ts';
import { WorkerHooks } from './hooks.ts';
import type { WorkerName } from './name.ts';
import { Tracker } from './track.ts';
import { RequestTable } from './watchdog/requests.ts';

export interface Parts {
  readonly name: WorkerName;
  readonly log: OwnLogger;
  readonly hooks: WorkerHooks;
  readonly observers: Observers;
  readonly health: Health;
  readonly certificates: Certificates;
  readonly shortages: Shortages;
  readonly answerClaims: AnswerClaims;
  /** The requests that run, in memory that the watchdog reads. */
  readonly table: RequestTable;
  readonly tracker: Tracker;
}

export function makeParts(order: WorkerOrder, log: OwnLogger): Parts {
  const { worker, generation } = order;
  const name = { worker, generation };
  const table = new RequestTable();
  return {
    name,
    log,
    hooks: new WorkerHooks(order, name, log),
    observers: new Observers(),
    health: new Health(order.settings.healthPath),
    certificates: new Certificates(),
    shortages: new Shortages(),
    answerClaims: new AnswerClaims(),
    table,
    tracker: new Tracker(table),
  };
}
