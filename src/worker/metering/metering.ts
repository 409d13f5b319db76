/**
 * Starts what counts a worker's requests: the file for `/metrics`, StatsD, and the app's OpenTelemetry SDK, each if it is
 * wanted.
 */

import { EventEmitter } from 'node:events';
import { statsdOptions } from '../../config/values/statsd.ts';
import { report } from '../../errors.ts';
import type { Observers } from '../../http/observers.ts';
import type { WorkerOrder } from '../../ipc/order.ts';
import { Statsd } from '../../ipc/statsd.ts';
import type { Logger } from '../../logger.ts';
import { httpModule } from '../../node/builtin.ts';
import { type Counted, Counters } from './counters.ts';
import { recordForOtel } from './otel-metrics.ts';
import { RequestStatsd } from './request-statsd.ts';

export interface MeteringOptions {
  readonly order: WorkerOrder;
  readonly observers: Observers;
  /** tsgun's own, read before the worker gave up its rights. */
  readonly version: string;
}

export class Metering {
  private readonly order: WorkerOrder;
  private readonly observers: Observers;
  private readonly version: string;
  private readonly starters: ((counted: Counted) => void)[] = [];

  constructor({ order, observers, version }: MeteringOptions, log: Logger) {
    this.order = order;
    this.observers = observers;
    this.version = version;
    if (order.settings.serverTiming) observers.timeAnswers();
    this.openCounters(log);
    this.openStatsd();
  }

  /** To be called before the worker is ready. @param name the interface of its app */
  async start(name: string, counted: Counted): Promise<void> {
    for (const start of this.starters) start(counted);
    // A tracer that has patched `node:http` sees each request, and records it itself.
    if (name === 'node' && isPatched()) return;
    const { observers, order, version } = this;
    await recordForOtel({ observers, directory: order.directory, version });
  }

  private openCounters(log: Logger): void {
    const { counters: place, settings } = this.order;
    if (place === undefined) return;
    try {
      const counters = new Counters(place, settings.workerClass, this.observers, settings.canary > 0);
      this.starters.push((counted) => counters.start(counted));
    } catch (error) {
      // A worker that cannot count serves all the same.
      log.say('error', { error: report(error).message }, 'this worker counts nothing for the metrics');
    }
  }

  private openStatsd(): void {
    const options = statsdOptions(this.order.settings);
    if (options === undefined) return;
    const requests = new RequestStatsd();
    this.observers.addCounter(requests);
    const statsd = new Statsd(options);
    this.starters.push(({ serving }) => requests.start(statsd, () => serving.tellUnfinished()));
  }
}

function isPatched(): boolean {
  return httpModule().Server.prototype.emit !== EventEmitter.prototype.emit;
}
