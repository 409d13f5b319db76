/**
 * The master's records of its children, and how they change when something happens. No processes and no clock here: time
 * is an argument. What to do about it all is decided in `plan.ts`.
 */

import type { ExitReason } from '../ipc/messages.ts';

/** A child's way through life; it never goes back. */
export type ChildState = 'booting' | 'ready' | 'retiring' | 'killed';

export interface Child {
  readonly id: number;
  /** Which configuration it runs. */
  readonly generation: number;
  readonly spawnedAt: number;
  state: ChildState;
  /** Whether new connections may still reach it. */
  isAccepting: boolean;
  /** When it must have been ready, beaten again, or gone. */
  deadline: number;
  /** Why it is about to exit, once that is known. */
  reason: ExitReason | undefined;
  requests: number;
  /** The silence that it is allowed, as of the configuration that it runs. */
  readonly timeoutMs: number;
  /** At how many it has served enough: its own number, so that not all come to theirs at once. */
  readonly requestLimit: number;
  /** Why it is to be replaced while it still serves: only when another serves in its place is it retired. */
  worn: 'max_requests' | 'max_memory' | undefined;
  /** Found hung by its own watchdog: nothing that it says later counts. */
  isHung: boolean;
}

/** Times in milliseconds; Infinity for no limit. */
export interface Policy {
  readonly bootMs: number;
  /** Silence after which a worker is hung, whatever its own watchdog says. Infinity where hung workers are left alone. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** A worker is replaced after this many requests, and up to `requestsJitter` more. */
  readonly maxRequests: number;
  readonly requestsJitter: number;
  /** A worker is replaced when its resident memory is larger. */
  readonly maxMemoryBytes: number;
}

export interface Pool {
  readonly children: Map<number, Child>;
  policy: Policy;
  /** How many ready workers there should be. */
  target: number;
  /** The configuration that is wanted now; children of any other are on their way out. */
  generation: number;
  /** While a reload is under way: the generation to go back to if it fails. */
  reloadFrom: number | undefined;
  /** What was wanted before that reload, signals counted: to go back to with it. */
  wantedBefore: Pick<Pool, 'policy' | 'target'> | undefined;
  lastGeneration: number;
  lastId: number;
  /** Whether a worker was ever ready: from then on, nothing that a worker does ends the master. */
  hasServed: boolean;
  isStopping: boolean;
  /** Children that died young of themselves, one after the other. */
  failures: number;
  /** No child is spawned before. */
  resumeAt: number;
  /** From 0 to 1, for the jitter of pauses. */
  readonly random: () => number;
}

/** Young workers that end so make the next ones wait. One too large right after its boot will be so again. */
const failures: readonly ExitReason[] = ['crashed', 'boot_failed', 'hung', 'killed', 'max_memory'];

/** A worker that lives this long is no part of a crash loop. */
export const calmMs = 60_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Someone else's hand, or the system's when memory runs out: not the app's doing, as far as we know. */
const longestKilledPauseMs = 250;
/** A worker ends by itself when its time is over, and says what it cuts. One that cannot is killed this much later. */
export const overstayMs = 500;
/** Nothing is spawned from now on, and what still boots has no more time than what finishes. */
export function noteStopping(pool: Pool, now: number): void {
  pool.isStopping = true;
  for (const child of pool.children.values())
    if (child.state === 'booting') child.deadline = Math.min(child.deadline, now + pool.policy.graceMs);
}

/** What a quick stop leaves to the requests that run. */
export const quickStopMs = 1000;

export function createPool(policy: Policy, target: number, random: () => number = Math.random): Pool {
  return {
    children: new Map(),
    policy,
    target,
    generation: 1,
    reloadFrom: undefined,
    wantedBefore: undefined,
    lastGeneration: 1,
    lastId: 0,
    hasServed: false,
    isStopping: false,
    failures: 0,
    resumeAt: 0,
    random,
  };
}

export function childrenOf(pool: Pool): Child[] {
  return [...pool.children.values()];
}

/** Enters a child before it is spawned: one that hangs while booting must be overdue too. */
export function addChild(pool: Pool, now: number): Child {
  const child: Child = {
    id: ++pool.lastId,
    generation: pool.generation,
    spawnedAt: now,
    state: 'booting',
    isAccepting: false,
    deadline: now + pool.policy.bootMs,
    reason: undefined,
    requests: 0,
    timeoutMs: pool.policy.timeoutMs,
    requestLimit: pool.policy.maxRequests + Math.floor(pool.random() * (pool.policy.requestsJitter + 1)),
    worn: undefined,
    isHung: false,
  };
  pool.children.set(child.id, child);
  return child;
}

export function noteReady(pool: Pool, child: Child, now: number): void {
  if (child.state !== 'booting') return;
  child.state = 'ready';
  child.isAccepting = true;
  child.deadline = now + child.timeoutMs;
  pool.hasServed = true;
}

/** @param memoryBytes resident; 0 where it is not known */
export function noteBeat(pool: Pool, child: Child, requests: number, memoryBytes: number, now: number): void {
  child.requests = requests;
  noteExcused(child, now);
  if (child.state !== 'ready') return;
  if (requests >= child.requestLimit) child.worn ??= 'max_requests';
  else if (memoryBytes > pool.policy.maxMemoryBytes) child.worn ??= 'max_memory';
}

/** Alive, or silent for a reason that is not its own: its time begins anew. */
export function noteExcused(child: Child, now: number): void {
  if (child.state === 'ready' && !child.isHung) child.deadline = now + child.timeoutMs;
}

/** Its watchdog has found it hung. One that is told to leave and hangs will not finish either. */
export function noteHung(child: Child, now: number): void {
  if (child.state !== 'ready' && child.state !== 'retiring') return;
  child.isHung = true;
  child.deadline = now;
}

/**
 * It was asked to finish, or said that it does. A graver reason that is known already stays.
 * @param deadline when it should have finished
 */
export function noteRetiring(child: Child, reason: ExitReason, deadline: number): void {
  if (child.state === 'killed') return;
  child.state = 'retiring';
  child.reason ??= reason;
  child.deadline = deadline + overstayMs;
}

/** It has closed its listeners. */
export function noteDraining(child: Child): void {
  child.isAccepting = false;
}

export function noteKilled(child: Child, reason: ExitReason): void {
  child.state = 'killed';
  child.reason ??= reason;
  child.deadline = Number.POSITIVE_INFINITY;
}

/**
 * Takes a child that has exited out of the pool. A failure before the first service is for the caller to end the master
 * with; one during a reload ends the reload; one after that makes the next spawns wait, longer each time.
 */
export function noteExit(pool: Pool, child: Child, signal: NodeJS.Signals | null, now: number): ExitReason {
  pool.children.delete(child.id);
  const known = child.reason ?? guessReason(child, signal);
  // A terminal or a supervisor sends TERM to the whole process group.
  const reason = known === 'killed' && pool.isStopping ? 'shutdown' : known;
  const isFailure = failures.includes(reason);
  const isYoung = now - child.spawnedAt < calmMs;
  if (isFailure && (isYoung || reason === 'boot_failed') && pool.hasServed && !pool.isStopping) {
    if (reason === 'boot_failed' && pool.reloadFrom !== undefined && child.generation === pool.generation) {
      pool.generation = pool.reloadFrom;
      pool.reloadFrom = undefined;
      Object.assign(pool, pool.wantedBefore);
    } else pause(pool, reason === 'killed' ? longestKilledPauseMs : longestPauseMs, now);
  }
  return reason;
}

function guessReason(child: Child, signal: NodeJS.Signals | null): ExitReason {
  if (child.state === 'booting') return 'boot_failed';
  return signal === 'SIGKILL' || signal === 'SIGTERM' ? 'killed' : 'crashed';
}

/** The first failure costs nothing; each that follows before the pool is calm again doubles the pause. */
function pause(pool: Pool, longestMs: number, now: number): void {
  if (now - pool.resumeAt > calmMs) pool.failures = 0;
  pool.failures++;
  const jitter = 0.75 + pool.random() / 2;
  const pauseMs = pool.failures === 1 ? 0 : Math.min(longestMs, firstPauseMs * 2 ** (pool.failures - 2)) * jitter;
  pool.resumeAt = Math.max(pool.resumeAt, now + pauseMs);
}

/** A new configuration is wanted. One that was still being rolled out is dropped; the last complete one stays the fallback. */
export function noteReload(pool: Pool, policy: Policy, target: number): void {
  if (pool.reloadFrom === undefined) pool.wantedBefore = { policy: pool.policy, target: pool.target };
  pool.reloadFrom ??= pool.generation;
  pool.generation = ++pool.lastGeneration;
  pool.policy = policy;
  pool.target = target;
  pool.failures = 0;
  pool.resumeAt = 0;
}

/**
 * One worker more, one fewer (not below one), or none at all until a reload or a signal wants some again. It holds for a
 * reload under way, and for what is gone back to if that fails.
 */
export function noteScaled(pool: Pool, command: 'more' | 'fewer' | 'dismiss'): void {
  const scaled = (target: number) => {
    if (command === 'more') return target + 1;
    return command === 'dismiss' || target === 0 ? 0 : Math.max(1, target - 1);
  };
  pool.target = scaled(pool.target);
  if (pool.reloadFrom !== undefined && pool.wantedBefore !== undefined)
    pool.wantedBefore = { ...pool.wantedBefore, target: scaled(pool.wantedBefore.target) };
}

/**
 * The master itself was not running for a while: children that serve begin their time anew, as their beats may lie unread;
 * the others get as much more as was lost.
 */
export function noteOverslept(pool: Pool, ms: number, now: number): void {
  for (const child of pool.children.values())
    if (!child.isHung) child.deadline = child.state === 'ready' ? now + child.timeoutMs : child.deadline + ms;
}
