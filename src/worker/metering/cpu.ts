/** Measures the CPU time of requests on a worker's main thread, if a setting asks for it. */

import { readlinkSync } from 'node:fs';
// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { Handler } from '../../app/handler.ts';
import type { Settings } from '../../config/settings.ts';
import { saysCpu } from '../../config/values/access-fields.ts';
import type { Cost } from '../../http/observers.ts';

type Wanted = Pick<Settings, 'serverTiming' | 'accessLogfile' | 'accessLogformat' | 'accessLogFields'>;

/** Whether anything reads the CPU time; if not, nothing is measured. */
export function measuresCpu({ serverTiming, accessLogfile, accessLogformat, accessLogFields }: Wanted): boolean {
  return serverTiming || (accessLogfile !== undefined && saysCpu(accessLogformat, accessLogFields));
}

type Usage = () => { readonly user: number; readonly system: number };

/** Node 22.19 has it; the types of the oldest supported Node do not. */
export const threadUsage = (process as { threadCpuUsage?: Usage }).threadCpuUsage?.bind(process);

/** Microseconds of CPU time so far: of this thread, or, in a Node without `threadCpuUsage`, of all threads of the process. */
export function cpuMicros(): number {
  const { user, system } = threadUsage === undefined ? process.cpuUsage() : threadUsage();
  return user + system;
}

/** The system's number of this thread, on Linux. */
export function systemThread(): number | undefined {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return undefined;
  }
}

/** Reading the CPU time takes up to a microsecond. Between two readings, a request that runs counts as running all the time. */
const lookEveryMs = 1;

/** The CPU time of this thread, to a millisecond: cheap enough for each request. */
export class CpuClock {
  private lookedAt = Number.NEGATIVE_INFINITY;
  private lookedMicros = 0;
  private readonly everyMs: number;
  private readonly look: () => number;

  constructor(everyMs = lookEveryMs, look = cpuMicros) {
    this.everyMs = everyMs;
    this.look = look;
  }

  /** @param now from `performance.now()` */
  read(now: number): number {
    const sinceMs = now - this.lookedAt;
    if (sinceMs < this.everyMs) return this.lookedMicros + sinceMs * 1000;
    this.lookedAt = now;
    this.lookedMicros = this.look();
    return this.lookedMicros;
  }
}

/** The CPU time of one request. */
class Turn implements Cost {
  private readonly clock: CpuClock;
  private readonly startMicros: number;
  private endMicros: number | undefined = undefined;
  /** Whether another request ran beside it. Then the time cannot be divided between them. */
  isShared: boolean;

  private isOver = false;
  private readonly onEnd: (turn: Turn) => void;

  constructor(clock: CpuClock, isShared: boolean, startedAt: number, onEnd: (turn: Turn) => void) {
    this.onEnd = onEnd;
    this.clock = clock;
    this.isShared = isShared;
    this.startMicros = isShared ? 0 : clock.read(startedAt);
  }

  get cpuMs(): number | undefined {
    return this.cpuMsAt(this.endMicros === undefined ? performance.now() : 0);
  }

  cpuMsAt(now: number): number | undefined {
    if (this.isShared) return undefined;
    return Math.max(0, (this.endMicros ?? this.clock.read(now)) - this.startMicros) / 1000;
  }

  end(now: number): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.isShared) this.endMicros = this.clock.read(now);
    this.onEnd(this);
  }
}

/**
 * On the main thread: a request that runs alone, as all do in the sync class, takes what the thread takes. Other requests get
 * no figure.
 */
export class CpuMeter {
  private readonly clock: CpuClock;
  private readonly waits: boolean;
  private running = 0;
  /** The request that has run alone so far. */
  private alone: Turn | undefined = undefined;

  /** @param waits whether a request may have waited for others when its handler is called */
  constructor(clock = new CpuClock(), waits = true) {
    this.clock = clock;
    this.waits = waits;
  }

  around(handle: Handler): Handler {
    return (exchange) => {
      exchange.cost = this.begin(this.waits ? performance.now() : exchange.startedAt);
      return handle(exchange);
    };
  }

  private begin(startedAt: number): Turn {
    const isShared = this.running++ > 0;
    if (this.alone !== undefined) this.alone.isShared = true;
    const turn = new Turn(this.clock, isShared, startedAt, this.end);
    this.alone = isShared ? undefined : turn;
    return turn;
  }

  private readonly end = (turn: Turn): void => {
    this.running--;
    if (this.alone === turn) this.alone = undefined;
  };
}
