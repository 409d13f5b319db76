/** From what was counted, and the state of the service, to the metrics. Pure. */

import type { Settings } from '../../config/settings.ts';
import { at, delayQuantiles, durationBounds, queueBounds, statuses, workerClasses } from '../../ipc/counters.ts';
import type { Snapshot, WorkerSnapshot } from '../snapshot.ts';
import { countedUnder, nothing, recordUnder } from './by-number.ts';
import { exitReasons, exitsIn, reloadOutcomes, reloadsIn } from './counters-file.ts';
import { type Family, histogram, pointed, type Sample } from './exposition.ts';

export interface Measured {
  readonly snapshot: Pick<Snapshot, 'workers'>;
  /** Of new workers. */
  readonly workerClass: Settings['workerClass'];
  /** Records of this master and its workers, by seat; of the other master, if there is or was one. */
  readonly own: readonly Float64Array[];
  readonly other: readonly Float64Array[];
  /** Whether the other master runs: otherwise nothing is open there any more. */
  readonly hasOther: boolean;
  /** Running requests of unresponsive workers, which cannot count them, by the worker's pid. */
  readonly stuck: ReadonlyMap<number | undefined, number>;
  /** Connections that wait to be accepted, by address. */
  readonly queues: ReadonlyMap<string, number>;
  /** When certificates end, in seconds since 1970, by the hosts that they are for. */
  readonly certificates?: ReadonlyMap<string, number>;
}

export function familiesOf(measured: Measured): Family[] {
  const { own, other, hasOther, workerClass } = measured;
  const workers = [...own.slice(1), ...other.slice(1)];
  const live = hasOther ? workers : own.slice(1);
  const sum = (index: number, records = workers) => records.reduce((total, record) => total + record[index]!, 0);
  const buckets = (start: number, bounds: readonly number[]) =>
    histogram(
      bounds,
      Array.from({ length: bounds.length + 1 }, (_, index) => sum(start + index)),
      sum(start + bounds.length + 1),
    );
  const value = (number: number): Sample[] => [{ value: number }];
  return [
    counter('requests', 'Requests that are over, by the first digit of their status and the class of their worker.', [
      ...requestSamples(sum, workerClass),
    ]),
    family('histogram', 'request_duration_seconds', 'From the head of a request to the end of its answer.', [
      ...buckets(at.duration, durationBounds),
    ]),
    family('gauge', 'requests_in_flight', 'Requests that the app works on, or that wait for a thread.', [
      ...value(sum(at.inFlight, live) + unsaid(measured)),
    ]),
    family('histogram', 'request_queue_seconds', 'How long requests waited for a thread, in the threaded class.', [
      ...buckets(at.queue, queueBounds),
    ]),
    counter('requests_shed', 'Requests refused because of overload.', value(sum(at.shed))),
    counter('request_timeouts', 'Requests answered 504 at their deadline.', value(sum(at.timeouts))),
    family('gauge', 'connections', 'Open connections.', value(sum(at.openConnections, live))),
    family('gauge', 'upgraded_connections', 'Open connections that speak another protocol, such as WebSocket.', [
      ...value(sum(at.upgradedConnections, live)),
    ]),
    counter('connections', 'Connections accepted.', value(sum(at.connections))),
    counter('received_bytes', 'Bytes received from clients, heads included.', value(sum(at.receivedBytes))),
    counter('sent_bytes', 'Bytes sent to clients, heads included.', value(sum(at.sentBytes))),
    ...masterFamilies(measured),
    ...workerFamilies(measured),
  ];
}

/** A blocked worker has no time to count what it has begun. */
function unsaid({ own, snapshot, stuck }: Measured): number {
  return snapshot.workers.reduce((total, { pid, worker }) => {
    const count = stuck.get(pid);
    return count === undefined ? total : total + count - recordUnder(own, worker)[at.inFlight]!;
  }, 0);
}

function family(type: Family['type'], name: string, help: string, samples: readonly Sample[]): Family {
  return { type, name: `tsgun_${name}`, help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return family('counter', name, help, samples);
}

function requestSamples(sum: (index: number) => number, current: string): Sample[] {
  return workerClasses.flatMap((workerClass, row) => {
    const counts = statuses.map((_, column) => sum(at.requests + row * statuses.length + column));
    // A class that never served would be a row of zeros.
    if (workerClass !== current && counts.every((count) => count === 0)) return [];
    return statuses.map((status, column) => ({
      labels: { status, worker_class: workerClass },
      value: counts[column]!,
    }));
  });
}

function masterFamilies({ own, other, snapshot, queues, certificates = new Map() }: Measured): Family[] {
  const masters = [own[0] ?? nothing, other[0] ?? nothing];
  const states = ['booting', 'ready', 'unresponsive', 'retiring', 'killed'] as const;
  const stateOf = ({ state, unresponsive }: WorkerSnapshot) =>
    unresponsive && state !== 'killed' ? 'unresponsive' : state;
  return [
    family(
      'gauge',
      'workers',
      'Worker processes. Those whose event loop does not run are unresponsive.',
      states.map((state) => ({
        labels: { state },
        value: snapshot.workers.filter((worker) => stateOf(worker) === state).length,
      })),
    ),
    counter(
      'worker_exits',
      'Workers that have exited, by reason.',
      exitReasons.map((reason) => ({
        labels: { reason },
        value: masters.reduce((total, record) => total + exitsIn(record, reason), 0),
      })),
    ),
    counter(
      'reloads',
      'Reloads that are over, by outcome.',
      reloadOutcomes.map((outcome) => ({
        labels: { outcome },
        value: masters.reduce((total, record) => total + reloadsIn(record, outcome), 0),
      })),
    ),
    family(
      'gauge',
      'listen_queue_length',
      'Connections that wait in the accept queue of a TCP address. Linux only.',
      [...queues].map(([bind, value]) => ({ labels: { bind }, value })),
    ),
    ...(certificates.size === 0
      ? []
      : [
          family(
            'gauge',
            'certificate_expiry_timestamp_seconds',
            'When the certificate ends, in seconds since 1970.',
            [...certificates].map(([name, value]) => ({ labels: { name }, value })),
          ),
        ]),
  ];
}

function workerFamilies({ own, other, snapshot }: Measured): Family[] {
  const workers = snapshot.workers
    .filter(({ pid }) => pid !== undefined)
    .map((worker) => ({ ...worker, record: recordUnder(own, worker.worker) }));
  type Worker = (typeof workers)[number];
  const each = (value: (worker: Worker) => number): Sample[] =>
    workers.map((worker) => ({ labels: { worker: worker.worker }, value: value(worker) }));
  const total =
    (index: number) =>
    ({ worker }: Worker) =>
      countedUnder(own, worker, index) + countedUnder(other, worker, index);
  return [
    family(
      'gauge',
      'worker_resident_bytes',
      'Resident memory.',
      each(({ rssBytes }) => rssBytes),
    ),
    family('gauge', 'worker_heap_used_bytes', 'Used memory of the JavaScript heap of the main thread.', [
      ...each(({ record }) => record[at.heapUsedBytes]!),
    ]),
    family('gauge', 'worker_event_loop_utilization', 'How busy the event loop was in the last second, from 0 to 1.', [
      ...each(({ record }) => record[at.utilization]!),
    ]),
    family('summary', 'worker_event_loop_delay_seconds', 'How late the event loop was, in the last ten seconds.', [
      ...workers.flatMap((worker): Sample[] => {
        const labels = { worker: worker.worker };
        const quantiles = delayQuantiles.map((quantile, index) => ({
          labels: { ...labels, quantile: pointed(quantile) },
          value: worker.record[at.delay + index]!,
        }));
        return [
          ...quantiles,
          { suffix: '_sum', labels, value: total(at.delaySum)(worker) },
          { suffix: '_count', labels, value: total(at.delayCount)(worker) },
        ];
      }),
    ]),
    counter(
      'worker_cpu_seconds',
      'CPU time of all processes that have had this number, while they had it.',
      each(total(at.cpuSeconds)),
    ),
    family(
      'gauge',
      'worker_uptime_seconds',
      'Since the process was started.',
      each(({ uptimeMs }) => uptimeMs / 1000),
    ),
    family(
      'gauge',
      'worker_generation',
      'Which configuration it runs.',
      each(({ generation }) => generation),
    ),
  ];
}
