/**
 * The master's records: its children, and what is wanted of them. They are read everywhere, and written in `notes.ts` and `endings.ts` alone.
 * `plan.ts` decides what to do.
 */

import type { Beat, ExitReason } from '../ipc/messages.ts';
import type { Backoff } from './backoff.ts';

/** The phases of a child's life; it never goes back. */
export type ChildState = 'booting' | 'ready' | 'retiring' | 'killed';

export interface Child {
  /**
   * Its place among what is kept for each worker and outlives it, such as counters: the lowest that was free. It keeps the seat
   * for life, and nobody is shown it.
   */
  readonly seat: number;
  /** Its number among the workers, by which everything shows it. It changes when it takes over the number of one that has left. */
  readonly worker: number;
  /** Which configuration it runs. */
  readonly generation: number;
  /** Undefined until it is forked, and if the fork failed. */
  readonly pid: number | undefined;
  readonly spawnedAt: number;
  readonly readyAt: number | undefined;
  readonly state: ChildState;
  /** Whether new connections may still reach it. */
  readonly isAccepting: boolean;
  /** When it must have been ready, beaten again, or gone. */
  readonly deadline: number;
  /** When to ask its watchdog what it is doing; Infinity for never, or once that is done. */
  readonly questionAt: number;
  /** Why it is about to exit, once that is known. */
  readonly reason: ExitReason | undefined;
  /** Its last beat. */
  readonly beat: Beat;
  /** When its main thread last gave a sign of life. */
  readonly heardAt: number;
  /** Whether a request has come to it. */
  readonly hasServed: boolean;
  /** The longest silence that its configuration allows. */
  readonly timeoutMs: number;
  /** After how many requests it is replaced: jittered, so that workers are not all replaced at once. */
  readonly requestLimit: number;
  /** How long it may serve: jittered likewise. */
  readonly lifetimeMs: number;
  /** Why it is to be replaced. It serves until another worker serves in its place. */
  readonly recycleReason: RecycleReason | undefined;
  /** Its watchdog has found it hung: later messages from it do not count. */
  readonly isHung: boolean;
  /** It was asked to finish quickly. */
  readonly isHurried: boolean;
}

const recycleReasons = ['max_requests', 'max_memory', 'max_lifetime'] as const;
export type RecycleReason = (typeof recycleReasons)[number];

/** Times in milliseconds; Infinity for no limit. */
export interface Policy {
  readonly bootMs: number;
  /** Silence after which a worker is hung, whatever its watchdog reports. Infinity if hung workers are left alone. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** A worker is replaced after this many requests, and up to `requestsJitter` more. */
  readonly maxRequests: number;
  readonly requestsJitter: number;
  /** A worker is replaced after it has served for this long, and up to a tenth more. */
  readonly maxLifetimeMs: number;
  /** A worker is replaced when its resident memory is larger. */
  readonly maxMemoryBytes: number;
  /** Under `--reload`: new code is served at once by all workers, whatever old connections lose by that. */
  readonly isDevelopment: boolean;
  /** If the workers cannot boot, others serve their error in their place. */
  readonly showsErrors: boolean;
}

/** How the service ends. `graceful`: requests have the full grace. `quick`: a short one. `immediate`: none. */
export type Pace = 'graceful' | 'quick' | 'immediate';

/** How a child ended. */
export interface Ending {
  readonly worker: number;
  readonly generation: number;
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  readonly uptimeMs: number;
  readonly requests: number;
  /** On the clock of the pool. */
  readonly endedAt: number;
}

export interface Pool {
  /** By the child's seat, the oldest first. */
  readonly children: ReadonlyMap<number, Child>;
  readonly policy: Policy;
  /** How many ready workers there should be. */
  readonly target: number;
  /** How many there should be at the least: what was configured or asked for. The load may raise the target above it. */
  readonly least: number;
  /** The generation that is wanted now; children of any other are to be replaced. */
  readonly generation: number;
  /** While that is on trial: how many of its workers serve beside the old ones. Else 0. */
  readonly canaries: number;
  /** The last generation that was worse in its trial. */
  readonly rejected: number | undefined;
  /** While a reload is under way: the generation to go back to if it fails. */
  readonly reloadFrom: number | undefined;
  /** The target before that reload, changes by signals included: restored if the reload fails. */
  readonly wantedBefore: Pick<Pool, 'policy' | 'target' | 'least'> | undefined;
  readonly lastGeneration: number;
  /** Whether a worker was ever ready: from then on, nothing that a worker does ends the master. */
  readonly hasServed: boolean;
  /** Undefined unless the service is to stop. */
  readonly stopping: Pace | undefined;
  /** When a stop begins that `--drain-delay` holds back; Infinity for none. */
  readonly drainUntil: number;
  /** Numbers whose last worker failed. */
  readonly backoffs: ReadonlyMap<number, Backoff>;
  /** Whether the last child that became ready is still well, as far as is known. */
  readonly wasLastBootGood: boolean;
  /** When workers crashed, in the last minute before the latest crash. Only the log reports it: pauses follow from `backoffs`. */
  readonly crashes: readonly number[];
  readonly lastExit: Ending | undefined;
  /** Requests of the children that have exited. */
  readonly pastRequests: number;
  /** From 0 to 1, for jitters. */
  readonly random: () => number;
}

export function createPool(policy: Policy, target: number, random: () => number = Math.random): Pool {
  return {
    children: new Map(),
    policy,
    target,
    least: target,
    generation: 1,
    canaries: 0,
    rejected: undefined,
    reloadFrom: undefined,
    wantedBefore: undefined,
    lastGeneration: 1,
    hasServed: false,
    stopping: undefined,
    drainUntil: Number.POSITIVE_INFINITY,
    backoffs: new Map(),
    wasLastBootGood: true,
    crashes: [],
    lastExit: undefined,
    pastRequests: 0,
    random,
  };
}

export function childrenOf(pool: Pool): Child[] {
  return [...pool.children.values()];
}

/** The numbers that no child has, the lowest first. One that leaves has its number until it is gone. */
export function* freeNumbers(pool: Pool): Generator<number> {
  const taken = new Set(childrenOf(pool).map(({ worker }) => worker));
  for (let worker = 1; ; worker++) if (!taken.has(worker)) yield worker;
}

/** Those that can answer a request. */
export function readyOf(pool: Pool): Child[] {
  return childrenOf(pool).filter(({ state }) => state === 'ready');
}

/** Why a serving child is to be replaced; undefined if it is not. */
export function recycleReasonOf(child: Child, now: number): RecycleReason | undefined {
  return child.recycleReason ?? (now >= expiryOf(child) ? 'max_lifetime' : undefined);
}

/** When its lifetime ends; Infinity for never, or not known yet. */
export function expiryOf({ state, readyAt = Number.POSITIVE_INFINITY, lifetimeMs }: Child): number {
  return state === 'ready' ? readyAt + lifetimeMs : Number.POSITIVE_INFINITY;
}

export function isRecycling(reason: ExitReason): reason is RecycleReason {
  return (recycleReasons as readonly ExitReason[]).includes(reason);
}

/** A healthy worker beats each second, whatever `timeout` is. */
const unresponsiveMs = 2000;

/** How long its main thread has been silent; 0 while it boots, or if it is well. */
export function silenceOf({ state, heardAt }: Child, now: number): number {
  if (state === 'booting') return 0;
  const silentMs = now - heardAt;
  return silentMs >= unresponsiveMs ? Math.round(silentMs) : 0;
}
