/**
 * The master's records: its children, and what is wanted of them. They are read everywhere, and written in `notes.ts` and `endings.ts` alone.
 * What to do about it all is decided in `plan.ts`.
 */

import type { Beat, ExitReason } from '../ipc/messages.ts';
import type { Backoff } from './backoff.ts';

/** A child's way through life; it never goes back. */
export type ChildState = 'booting' | 'ready' | 'retiring' | 'killed';

export interface Child {
  /** Its number among the workers: the lowest that was free. It keeps it for life; then another may have it. */
  readonly worker: number;
  /** Which configuration it runs. */
  readonly generation: number;
  /** Undefined until it is forked, and where that failed. */
  readonly pid: number | undefined;
  readonly spawnedAt: number;
  readonly readyAt: number | undefined;
  readonly state: ChildState;
  /** Whether new connections may still reach it. */
  readonly isAccepting: boolean;
  /** When it must have been ready, beaten again, or gone. */
  readonly deadline: number;
  /** When its watchdog is asked what it does; Infinity for never, or once that is done. */
  readonly questionAt: number;
  /** Why it is about to exit, once that is known. */
  readonly reason: ExitReason | undefined;
  /** Its last beat. */
  readonly beat: Beat;
  /** Whether a request has come to it. */
  readonly hasServed: boolean;
  /** The silence that it is allowed, as of the configuration that it runs. */
  readonly timeoutMs: number;
  /** At how many requests it has served enough: its own number, so that not all come to theirs at once. */
  readonly requestLimit: number;
  /** How long it may serve: its own, likewise. */
  readonly lifetimeMs: number;
  /** Why it is to be replaced while it still serves: only when another serves in its place is it retired. */
  readonly recycleReason: RecycleReason | undefined;
  /** Found hung by its own watchdog: nothing that it says later counts. */
  readonly isHung: boolean;
  /** Told to finish quickly. */
  readonly isHurried: boolean;
}

const recycleReasons = ['max_requests', 'max_memory', 'max_lifetime'] as const;
export type RecycleReason = (typeof recycleReasons)[number];

/** Times in milliseconds; Infinity for no limit. */
export interface Policy {
  readonly bootMs: number;
  /** Silence after which a worker is hung, whatever its own watchdog says. Infinity where hung workers are left alone. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** A worker is replaced after this many requests, and up to `requestsJitter` more. */
  readonly maxRequests: number;
  readonly requestsJitter: number;
  /** A worker is replaced after it has served for this long, and up to a tenth more. */
  readonly maxLifetimeMs: number;
  /** A worker is replaced when its resident memory is larger. */
  readonly maxMemoryBytes: number;
}

/** How the service ends. `graceful`: requests have their time. `quick`: little of it. `immediate`: none. */
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
  /** By the worker's number, the oldest first. */
  readonly children: ReadonlyMap<number, Child>;
  readonly policy: Policy;
  /** How many ready workers there should be. */
  readonly target: number;
  /** The configuration that is wanted now; children of any other are on their way out. */
  readonly generation: number;
  /** While a reload is under way: the generation to go back to if it fails. */
  readonly reloadFrom: number | undefined;
  /** What was wanted before that reload, signals counted: to go back to with it. */
  readonly wantedBefore: Pick<Pool, 'policy' | 'target'> | undefined;
  readonly lastGeneration: number;
  /** Whether a worker was ever ready: from then on, nothing that a worker does ends the master. */
  readonly hasServed: boolean;
  /** Undefined while the service is to go on. */
  readonly stopping: Pace | undefined;
  /** Numbers whose last worker failed. */
  readonly backoffs: ReadonlyMap<number, Backoff>;
  /** Whether the last child that came up is as well as it was then, as far as is known. */
  readonly wasLastBootGood: boolean;
  /** When children failed, in the last minute. */
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
    generation: 1,
    reloadFrom: undefined,
    wantedBefore: undefined,
    lastGeneration: 1,
    hasServed: false,
    stopping: undefined,
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

/** Those that can answer a request. */
export function readyOf(pool: Pool): Child[] {
  return childrenOf(pool).filter(({ state }) => state === 'ready');
}

/** Why a child that serves is to be replaced, if it is. */
export function recycleReasonOf(child: Child, now: number): RecycleReason | undefined {
  return child.recycleReason ?? (now >= expiryOf(child) ? 'max_lifetime' : undefined);
}

/** When it has served for long enough; Infinity for never, or not known yet. */
export function expiryOf({ state, readyAt = Number.POSITIVE_INFINITY, lifetimeMs }: Child): number {
  return state === 'ready' ? readyAt + lifetimeMs : Number.POSITIVE_INFINITY;
}

export function isRecycling(reason: ExitReason): reason is RecycleReason {
  return (recycleReasons as readonly ExitReason[]).includes(reason);
}
