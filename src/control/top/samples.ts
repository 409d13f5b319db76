/** From one look at an instance to the next: rates, CPU, the accept queue. Reads /proc where there is one. */

import { readFileSync } from 'node:fs';
import type { WorkerRequests } from '../../master/children/running.ts';
import type { CountersSummary } from '../../master/metrics/summary.ts';
import type { FullStatus, WorkerStatus } from '../status.ts';

export interface Look {
  readonly at: number;
  readonly status: FullStatus;
  readonly running: readonly WorkerRequests[];
  readonly counters: CountersSummary;
}

/** A worker, with what two looks show. Undefined: not known. */
export interface Row extends WorkerStatus {
  readonly requestsPerSecond: number | undefined;
  /** In parts of one CPU. */
  readonly cpu: number | undefined;
  /** Of the event loop, from 0 to 1. */
  readonly utilization: number | undefined;
  /** Of the event loop, in milliseconds. */
  readonly lagMs: number | undefined;
  /** The oldest of its running requests. */
  readonly current: WorkerRequests['requests'][number] | undefined;
}

export interface Sample {
  readonly look: Look;
  readonly rows: readonly Row[];
  readonly requestsPerSecond: number | undefined;
  /** Connections that wait to be accepted, on TCP addresses. */
  readonly queue: number | undefined;
  /** In milliseconds, at most: 50, 95 and 99 of 100 requests since the look before took no longer. Undefined where none was counted. */
  readonly quantilesMs: readonly number[] | undefined;
}

/** What of the system it reads. */
export interface System {
  /** Milliseconds of CPU time so far; undefined if not known. */
  cpuMs(pid: number): number | undefined;
  /** Undefined if not known. */
  queueOf(addresses: readonly string[]): number | undefined;
}

export class Sampler {
  private readonly system: System;
  private before: Look | undefined = undefined;
  private cpuBefore = new Map<number, number>();

  constructor(system: System = proc) {
    this.system = system;
  }

  take(look: Look): Sample {
    const { before, cpuBefore } = this;
    const seconds = before === undefined ? 0 : (look.at - before.at) / 1000;
    const isSame = before?.status.pid === look.status.pid;
    const rate = (now: number, then: number | undefined) =>
      then === undefined || seconds <= 0 ? undefined : Math.max(0, now - then) / seconds;
    const earlier = new Map(before?.status.workers.map((worker) => [worker.pid, worker]));
    const cpuNow = new Map<number, number>();
    const rows = look.status.workers.map((worker): Row => {
      const { pid } = worker;
      const cpuMs = pid === undefined ? undefined : this.system.cpuMs(pid);
      if (pid !== undefined && cpuMs !== undefined) cpuNow.set(pid, cpuMs);
      const cpu = cpuMs === undefined ? undefined : rate(cpuMs, cpuBefore.get(pid!));
      const list = look.running.find((each) => each.worker === worker.worker && each.pid === pid);
      const running = list?.isKnown ? list.requests.length + list.more : worker.running;
      const gauges = look.counters.workers.find((each) => each.worker === worker.worker);
      return {
        ...worker,
        utilization: gauges?.utilization,
        lagMs: gauges === undefined ? undefined : gauges.delaySeconds * 1000,
        running,
        requestsPerSecond: rate(worker.requests, earlier.get(pid)?.requests),
        cpu: cpu === undefined ? undefined : cpu / 1000,
        current: list?.requests[0],
      };
    });
    this.before = look;
    this.cpuBefore = cpuNow;
    return {
      look,
      rows,
      requestsPerSecond: isSame ? rate(look.status.requests, before?.status.requests) : undefined,
      queue: this.system.queueOf(look.status.addresses),
      quantilesMs: isSame ? quantiles(look.counters, before!.counters) : undefined,
    };
  }
}

const shares = [0.5, 0.95, 0.99];

/** From the buckets of a histogram: the bound of the one in which the share lies. */
function quantiles(now: CountersSummary, before: CountersSummary): number[] | undefined {
  const counts = now.durations?.map((count, index) => Math.max(0, count - (before.durations?.[index] ?? 0)));
  const total = counts?.reduce((sum, count) => sum + count, 0);
  if (counts === undefined || !total) return undefined;
  return shares.map((share) => {
    let left = share * total;
    const index = counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return (now.bounds[index] ?? Number.POSITIVE_INFINITY) * 1000;
  });
}

/** The unit of /proc/PID/stat on all systems that have it. */
const tickMs = 10;

const proc: System = {
  cpuMs(pid) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name may have spaces and parentheses.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * tickMs;
    } catch {
      return undefined;
    }
  },
  queueOf(addresses) {
    try {
      const ports = new Set(addresses.flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? []).map(Number));
      const lines = ['tcp', 'tcp6'].flatMap((name) => readListeners(`/proc/net/${name}`));
      return lines.filter(({ port }) => ports.has(port)).reduce((sum, { queued }) => sum + queued, 0);
    } catch {
      return undefined;
    }
  },
};

/** Lines of /proc/net/tcp in the state LISTEN, whose receive queue is the accept queue. */
function readListeners(path: string): { port: number; queued: number }[] {
  return readFileSync(path, 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, port, state, queued] =
        /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]+)/.exec(line) ?? [];
      return state === '0A' ? [{ port: Number.parseInt(port!, 16), queued: Number.parseInt(queued!, 16) }] : [];
    });
}
