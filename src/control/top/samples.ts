/** From one look at an instance to the next: rates, CPU, the accept queue. Reads /proc where there is one. */

import { readFileSync } from 'node:fs';
import type { WorkerRequests } from '../../master/children/running.ts';
import type { FullStatus, WorkerStatus } from '../status.ts';

export interface Look {
  readonly at: number;
  readonly status: FullStatus;
  readonly running: readonly WorkerRequests[];
}

/** A worker, with what two looks show. Undefined: not known. */
export interface Row extends WorkerStatus {
  readonly requestsPerSecond: number | undefined;
  /** In parts of one CPU. */
  readonly cpu: number | undefined;
  /** The oldest one. */
  readonly current: WorkerRequests['requests'][number] | undefined;
}

export interface Sample {
  readonly look: Look;
  readonly rows: readonly Row[];
  readonly requestsPerSecond: number | undefined;
  /** Connections that wait to be accepted, on TCP addresses. */
  readonly queue: number | undefined;
  /** Of processes that were seen to go since the beginning. */
  readonly exits: number;
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
  private exits = 0;

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
      return {
        ...worker,
        running,
        requestsPerSecond: rate(worker.requests, earlier.get(pid)?.requests),
        cpu: cpu === undefined ? undefined : cpu / 1000,
        current: list?.requests[0],
      };
    });
    const pids = new Set(look.status.workers.map(({ pid }) => pid));
    if (isSame) this.exits += before!.status.workers.filter(({ pid }) => pid !== undefined && !pids.has(pid)).length;
    this.before = look;
    this.cpuBefore = cpuNow;
    return {
      look,
      rows,
      requestsPerSecond: isSame ? rate(look.status.requests, before?.status.requests) : undefined,
      queue: this.system.queueOf(look.status.addresses),
      exits: this.exits,
    };
  }
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
