/** The whole state at one moment, for the log, hooks and the service manager. Pure. */

import { vacanciesOf } from './plan.ts';
import { type Child, type ChildState, childrenOf, type Ending, type Pool, readyOf, silenceOf } from './pool.ts';

/** What does not change while the master runs. */
export interface MasterIdentity {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
}

export interface WorkerSnapshot {
  readonly pid: number | undefined;
  readonly worker: number;
  readonly generation: number;
  readonly state: ChildState;
  readonly uptimeMs: number;
  /** Requests answered so far, and requests that run, as of its last beat. */
  readonly requests: number;
  readonly running: number;
  readonly rssBytes: number;
  /** Whether its main thread has given no sign of life for two seconds. */
  readonly unresponsive: boolean;
  /** For how long, if it is unresponsive; else 0. */
  readonly silentMs: number;
}

export type ServiceState = 'starting' | 'serving' | 'reloading' | 'draining' | 'stopping';

export interface Snapshot {
  readonly pid: number;
  readonly version: string;
  readonly state: ServiceState;
  /** The one that is wanted. */
  readonly generation: number;
  readonly uptimeMs: number;
  /** How many workers are wanted, and how many are ready, of whatever generation. */
  readonly wanted: number;
  readonly ready: number;
  /** By number. */
  readonly workers: readonly WorkerSnapshot[];
  /** Requests answered so far, those of past workers included. */
  readonly requests: number;
  readonly lastExit: (Omit<Ending, 'endedAt'> & { readonly agoMs: number }) | undefined;
  /** How long the next spawn still waits after failures; 0 if it does not wait. */
  readonly pausedMs: number;
}

export function snapshot(pool: Pool, { pid, version, startedAt }: MasterIdentity, now: number): Snapshot {
  const children = childrenOf(pool);
  const waits = vacanciesOf(pool, now).map(({ waitMs }) => waitMs);
  return {
    pid,
    version,
    state: stateOf(pool),
    generation: pool.generation,
    uptimeMs: Math.round(now - startedAt),
    wanted: pool.target,
    ready: readyOf(pool).length,
    workers: children.map((child) => workerSnapshot(child, now)).sort((one, other) => one.worker - other.worker),
    requests: children.reduce((sum, { beat }) => sum + beat.requests, pool.pastRequests),
    lastExit: pool.lastExit === undefined ? undefined : aged(pool.lastExit, now),
    pausedMs: waits.length === 0 ? 0 : Math.round(Math.min(...waits)),
  };
}

function workerSnapshot(child: Child, now: number): WorkerSnapshot {
  const { pid, worker, generation, state, spawnedAt, beat } = child;
  const silentMs = silenceOf(child, now);
  return {
    pid,
    worker,
    generation,
    state,
    uptimeMs: Math.round(now - spawnedAt),
    requests: beat.requests,
    running: beat.running,
    rssBytes: beat.memoryBytes,
    unresponsive: silentMs > 0,
    silentMs,
  };
}

function stateOf({ stopping, drainUntil, hasServed, reloadFrom }: Pool): ServiceState {
  if (stopping !== undefined) return 'stopping';
  if (drainUntil < Number.POSITIVE_INFINITY) return 'draining';
  if (!hasServed) return 'starting';
  return reloadFrom === undefined ? 'serving' : 'reloading';
}

function aged({ endedAt, ...ending }: Ending, now: number): NonNullable<Snapshot['lastExit']> {
  return { ...ending, agoMs: Math.round(now - endedAt) };
}
