/** How busy the workers are, from what they count: nobody is asked. */

import type { Settings } from '../../config/settings.ts';
import { at, queueBounds } from '../../ipc/counters.ts';
import { type Child, silenceOf } from '../pool.ts';
import type { Load } from './scale.ts';

/** The values that only grow, of all workers together. */
interface Totals {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly queued: number;
  readonly queueSeconds: number;
}

/** How many requests a worker can run at once; Infinity where its event loop is the limit. */
export function capacityOf({ workerClass, threads }: Pick<Settings, 'workerClass' | 'threads'>): number {
  if (workerClass === 'sync') return 1;
  return workerClass === 'threaded' ? threads : Number.POSITIVE_INFINITY;
}

/**
 * How busy a worker is now, from 0 to 1: by its event loop, or by its places for requests.
 * @param record what it counts
 */
export function busyShare(child: Child, record: Float64Array | undefined, capacity: number, now: number): number {
  if (silenceOf(child, now) > 0) return 1;
  if (record === undefined) return 0;
  return Math.min(1, Math.max(record[at.utilization]!, record[at.inFlight]! / capacity));
}

/** Collects polls at the workers until the load is asked for. */
export class LoadMeter {
  private before: Totals | undefined = undefined;
  private busyWorkers = 0;
  private polls = 0;

  /**
   * @param ready the workers that serve
   * @param records by the seat of the worker
   */
  poll(ready: readonly Child[], records: readonly Float64Array[], capacity: number, now: number): void {
    this.polls++;
    this.before ??= totalsOf(records, now);
    for (const child of ready) this.busyWorkers += busyShare(child, records[child.seat], capacity, now);
  }

  /** Since the last call, or the first poll. There has been more than one poll. */
  take(readyWorkers: number, records: readonly Float64Array[], now: number): Load {
    const after = totalsOf(records, now);
    const { before = after, polls } = this;
    const busyWorkers = Math.min(readyWorkers, this.busyWorkers / polls);
    this.forget();
    this.before = after;
    const queued = after.queued - before.queued;
    return {
      busyWorkers,
      readyWorkers,
      busyCpus: (after.cpuSeconds - before.cpuSeconds) / ((after.at - before.at) / 1000),
      queueMs: queued > 0 ? ((after.queueSeconds - before.queueSeconds) / queued) * 1000 : 0,
    };
  }

  forget(): void {
    this.before = undefined;
    this.busyWorkers = 0;
    this.polls = 0;
  }
}

function totalsOf([, ...records]: readonly Float64Array[], now: number): Totals {
  const sum = (index: number) => records.reduce((total, record) => total + record[index]!, 0);
  const buckets = Array.from({ length: queueBounds.length + 1 }, (_, index) => sum(at.queue + index));
  return {
    at: now,
    cpuSeconds: sum(at.cpuSeconds),
    queued: buckets.reduce((total, count) => total + count, 0),
    queueSeconds: sum(at.queue + queueBounds.length + 1),
  };
}
