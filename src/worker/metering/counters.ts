/**
 * Counts the requests of a worker. Each costs a few additions in a private array, which is written to the shared file of
 * counters ten times a second and at the exit. So a kill loses a tenth of a second at most.
 */

import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Observed, Observers, Outcome } from '../../http/observers.ts';
import {
  at,
  type CountersPlace,
  delayQuantiles,
  durationBounds,
  hasFine,
  observe,
  observeFinely,
  queueBounds,
  readRecord,
  recordLength,
  statuses,
  workerClasses,
  writeRecord,
} from '../../ipc/counters.ts';
import { every } from '../../ipc/ticks.ts';
import type { Serving } from '../classes/serving.ts';

const flushMs = 100;
/** What takes longer to measure is measured once a second. */
const flushesPerMeasurement = 10;
/** Quantiles of the event loop's delay cover the last ten seconds. */
const delayWindowSeconds = 10;
/** The resolution of the event loop's delay. */
const delayResolutionMs = 20;

export interface Counted {
  readonly serving: Pick<Serving, 'accepted' | 'connections' | 'upgraded' | 'countTraffic' | 'tellUnfinished'>;
  /** Requests that run. */
  running(): number;
}

export class Counters {
  private readonly place: CountersPlace;
  private readonly record: Float64Array;
  /** The values that the file has. */
  private readonly written = new Float64Array(recordLength);
  /** What earlier workers in the same seat have counted. */
  private readonly past: Float64Array;
  private readonly statusAt: number;
  private readonly isFine: boolean;
  private readonly observers: Observers;
  private readonly delays: IntervalHistogram;
  private utilization = performance.eventLoopUtilization();
  private flushes = 0;
  private windowSeconds = 0;

  /**
   * Opens no file: it inherits the descriptor.
   * @param isFine whether the counts serve to compare releases
   * @throws the system's error if the file cannot be read
   */
  constructor(place: CountersPlace, workerClass: (typeof workerClasses)[number], observers: Observers, isFine = false) {
    this.isFine = isFine;
    this.place = place;
    this.record = readRecord(place);
    this.record.fill(0, at.gauges, at.sequence);
    if (isFine) this.record[at.fineSequence] ||= 1;
    this.past = this.record.slice();
    this.statusAt = at.requests + workerClasses.indexOf(workerClass) * statuses.length;
    this.observers = observers;
    this.delays = monitorEventLoopDelay({ resolution: delayResolutionMs });
    observers.addCounter(this);
  }

  /** Called for each request that is over. */
  count({ status, startedAt, queueMs }: Observed, outcome: Outcome, endedAt: number): void {
    // It was counted when its client left.
    if (outcome === 'unheard') return;
    const { record } = this;
    record[this.statusAt + (status === '' ? 0 : status.charCodeAt(0) - 48)]!++;
    if (queueMs !== undefined) observe(record, at.queue, queueBounds, queueMs / 1000);
    if (outcome === 'overdue') record[at.timeouts]!++;
    // The length of an upgraded connection says nothing about requests.
    if (outcome === 'upgraded') return;
    const seconds = (endedAt - startedAt) / 1000;
    observe(record, at.duration, durationBounds, seconds);
    if (this.isFine) observeFinely(record, seconds);
  }

  /** The worker serves. */
  start(counted: Counted): void {
    this.delays.enable();
    this.measure();
    const tsgunFlush = () => this.flush(counted);
    every(flushMs, tsgunFlush);
    process.on('exit', () => {
      counted.serving.tellUnfinished();
      this.flushes = flushesPerMeasurement - 1;
      this.flush(counted);
    });
  }

  private flush({ serving, running }: Counted): void {
    const { record, past, observers, written } = this;
    const { traffic } = observers;
    serving.countTraffic();
    record[at.receivedBytes] = past[at.receivedBytes]! + traffic[0]!;
    record[at.sentBytes] = past[at.sentBytes]! + traffic[1]!;
    record[at.connections] = past[at.connections]! + serving.accepted;
    record[at.shed] = past[at.shed]! + observers.shed;
    record[at.openConnections] = serving.connections;
    record[at.inFlight] = running();
    if (++this.flushes % flushesPerMeasurement === 0) {
      record[at.upgradedConnections] = serving.upgraded;
      this.measure();
    }
    if (isSame(record, written)) return;
    try {
      writeRecord(this.place, record);
      written.set(record);
    } catch {
      // The disk is full: the counts stay here, and are written later.
    }
  }

  /** Measures the process. */
  private measure(): void {
    const { record, past } = this;
    const { user, system } = process.cpuUsage();
    record[at.cpuSeconds] = past[at.cpuSeconds]! + (user + system) / 1e6;
    record[at.heapUsedBytes] = getHeapStatistics().used_heap_size;
    const now = performance.eventLoopUtilization();
    record[at.utilization] = performance.eventLoopUtilization(now, this.utilization).utilization;
    this.utilization = now;
    this.measureDelay();
  }

  /** The histogram holds the times from one call of its timer to the next. */
  private measureDelay(): void {
    if (++this.windowSeconds < delayWindowSeconds) return;
    this.windowSeconds = 0;
    const { record, delays } = this;
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - delayResolutionMs / 1000);
    const { count } = delays;
    if (count > 0) {
      for (const [index, quantile] of delayQuantiles.entries())
        record[at.delay + index] = seconds(delays.percentile(quantile * 100));
      record[at.delaySum]! += seconds(delays.mean) * count;
      record[at.delayCount]! += count;
    }
    delays.reset();
  }
}

function isSame(record: Float64Array, written: Float64Array): boolean {
  const length = hasFine(record) ? at.holder : at.sequence;
  for (let index = 0; index < length; index++) if (record[index] !== written[index]) return false;
  return true;
}
