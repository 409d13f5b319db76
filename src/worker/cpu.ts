/** Measures the CPU time of requests on a worker's main thread, if a setting asks for it. */

import { readlinkSync } from 'node:fs';
import type { Handler } from '../app/handler.ts';
import { saysCpu } from '../config/access-fields.ts';
import type { Settings } from '../config/settings.ts';

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
class Turn {
  private readonly clock: CpuClock;
  private readonly startMicros: number;
  private endMicros: number | undefined = undefined;
  /** Whether another request ran beside it. Then the time cannot be divided between them. */
  isShared: boolean;

  constructor(clock: CpuClock, isShared: boolean) {
    this.clock = clock;
    this.isShared = isShared;
    this.startMicros = isShared ? 0 : clock.read(performance.now());
  }

  get cpuMs(): number | undefined {
    if (this.isShared) return undefined;
    return Math.max(0, (this.endMicros ?? this.clock.read(performance.now())) - this.startMicros) / 1000;
  }

  end(): void {
    if (!this.isShared) this.endMicros = this.clock.read(performance.now());
  }
}

/**
 * On the main thread: a request that runs alone, as all do in the sync class, takes what the thread takes. Other requests get
 * no figure.
 */
export class CpuMeter {
  private readonly clock: CpuClock;
  private running = 0;
  /** The request that has run alone so far. */
  private alone: Turn | undefined = undefined;

  constructor(clock = new CpuClock()) {
    this.clock = clock;
  }

  around(handle: Handler): Handler {
    return (exchange) => {
      const turn = this.begin();
      const { onOver } = exchange;
      exchange.cost = turn;
      exchange.onOver = (answered) => {
        this.end(turn);
        onOver?.(answered);
      };
      return handle(exchange);
    };
  }

  private begin(): Turn {
    const isShared = this.running++ > 0;
    if (this.alone !== undefined) this.alone.isShared = true;
    const turn = new Turn(this.clock, isShared);
    this.alone = isShared ? undefined : turn;
    return turn;
  }

  private end(turn: Turn): void {
    this.running--;
    turn.end();
    if (this.alone === turn) this.alone = undefined;
  }
}
