/**
 * What happened, entered in the pool's records: the only file that writes them. No processes and no clock here: time is an
 * argument.
 */

import type { Beat, ExitReason } from '../ipc/messages.ts';
import { backOff, type FailureCause, infancyMs } from './backoff.ts';
import type { Child, Ending, Pace, Policy, Pool } from './pool.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type WritableChild = Mutable<Child>;
type WritablePool = Mutable<Omit<Pool, 'children' | 'backoffs' | 'crashes'>> & {
  readonly children: Map<number, WritableChild>;
  readonly backoffs: Map<number, Pool['backoffs'] extends ReadonlyMap<number, infer B> ? B : never>;
  readonly crashes: number[];
};

/** A worker ends by itself when its time is over, and says what it cuts. If it does not, its watchdog is asked this much later. */
export const questionMs = 200;
/** The watchdog of a worker that is silent, or out of time, says what that does; without an answer it is killed after this. */
export const answerMs = 1000;
/** So much later than it should have, a blocked worker has ended. */
export const overstayMs = questionMs + answerMs;
/** What a quick stop leaves to the requests that run. */
export const quickStopMs = 1000;
const minuteMs = 60_000;
/** More crashes of a minute than this are not counted. */
const mostCrashes = 1000;

function write(pool: Pool): WritablePool {
  return pool as WritablePool;
}

// Children.

/** Enters a child before it is spawned: one that hangs while booting must be overdue too. */
export function addChild(pool: Pool, worker: number, now: number): Child {
  const { policy, generation, random } = pool;
  const child: Child = {
    worker,
    generation,
    pid: undefined,
    spawnedAt: now,
    readyAt: undefined,
    state: 'booting',
    isAccepting: false,
    deadline: now + policy.bootMs,
    questionAt: Number.POSITIVE_INFINITY,
    reason: undefined,
    beat: { requests: 0, running: 0, memoryBytes: 0 },
    hasServed: false,
    timeoutMs: policy.timeoutMs,
    requestLimit: policy.maxRequests + Math.floor(random() * (policy.requestsJitter + 1)),
    lifetimeMs: policy.maxLifetimeMs * (1 + random() / 10),
    recycleReason: undefined,
    isHung: false,
    isHurried: false,
  };
  write(pool).children.set(worker, child);
  return child;
}

export function noteForked(child: WritableChild, pid: number | undefined): void {
  child.pid = pid;
}

export function noteReady(pool: Pool, child: WritableChild, now: number): void {
  if (child.state !== 'booting') return;
  child.state = 'ready';
  child.readyAt = now;
  child.isAccepting = true;
  beginPatience(child, now);
  write(pool).hasServed = true;
  write(pool).wasLastBootGood = true;
}

/** A request has come to it. */
export function noteServing(child: WritableChild): void {
  child.hasServed = true;
}

export function noteBeat(pool: Pool, child: WritableChild, beat: Beat, now: number): void {
  // A worker that is about to exit does not measure its memory any more.
  child.beat = { ...beat, memoryBytes: beat.memoryBytes || child.beat.memoryBytes };
  if (beat.requests > 0) noteServing(child);
  noteExcused(child, now);
  if (child.state !== 'ready') return;
  if (beat.requests >= child.requestLimit) child.recycleReason ??= 'max_requests';
  else if (beat.memoryBytes > pool.policy.maxMemoryBytes) child.recycleReason ??= 'max_memory';
}

/** Alive, or silent for a reason that is not its own: its time begins anew. */
export function noteExcused(child: WritableChild, now: number): void {
  if (child.state === 'ready' && !child.isHung) beginPatience(child, now);
}

function beginPatience(child: WritableChild, now: number): void {
  child.questionAt = now + child.timeoutMs;
  child.deadline = child.questionAt + answerMs;
}

/** Its watchdog has found it hung. One that is told to leave and hangs will not finish either. */
export function noteHung(child: WritableChild, now: number): void {
  if (child.state !== 'ready' && child.state !== 'retiring') return;
  child.isHung = true;
  child.deadline = now;
}

/**
 * It was asked to finish, or said that it does. A graver reason that is known already stays, and so does an earlier end.
 * @param graceMs what its requests get
 */
export function noteRetiring(child: WritableChild, reason: ExitReason, graceMs: number, now: number): void {
  if (child.state === 'killed') return;
  const questionAt = now + graceMs + questionMs;
  const deadline = questionAt + answerMs;
  const isEarlier = child.state !== 'retiring' || deadline < child.deadline;
  child.state = 'retiring';
  child.reason ??= reason;
  if (isEarlier) Object.assign(child, { deadline, questionAt });
}

/** It is told to finish quickly. */
export function noteHurried(child: WritableChild, now: number): void {
  child.isHurried = true;
  noteRetiring(child, 'shutdown', quickStopMs, now);
}

/** It has closed its listeners. */
export function noteDraining(child: WritableChild): void {
  child.isAccepting = false;
}

/** Its watchdog was asked what it still does. */
export function noteQuestioned(child: WritableChild): void {
  child.questionAt = Number.POSITIVE_INFINITY;
}

/**
 * Its watchdog has answered: nothing more is waited for. A worker whose main thread is well was not silent, only not heard.
 * @param silentMs of the main thread
 */
export function noteReported(child: WritableChild, silentMs: number, now: number): void {
  const isAwaited = child.questionAt === Number.POSITIVE_INFINITY && now >= child.deadline - answerMs;
  if (!isAwaited || child.state === 'killed') return;
  if (child.state === 'ready' && silentMs < child.timeoutMs / 2) noteExcused(child, now);
  else child.deadline = Math.min(child.deadline, now);
}

export function noteKilled(child: WritableChild, reason: ExitReason): void {
  child.state = 'killed';
  child.reason ??= reason;
  child.deadline = Number.POSITIVE_INFINITY;
  child.questionAt = Number.POSITIVE_INFINITY;
}

/**
 * The master itself was not running for a while: children that serve begin their time anew, as their beats may lie unread;
 * the others get as much more as was lost.
 */
export function noteOverslept(pool: Pool, ms: number, now: number): void {
  for (const child of write(pool).children.values()) {
    if (child.isHung) continue;
    noteExcused(child, now);
    if (child.state === 'ready') continue;
    child.deadline += ms;
    child.questionAt += ms;
  }
}

// The end of a child.

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it said itself that it could not come up. */
  readonly hasBootError: boolean;
  /** Whether the kernel seems to have killed it, for lack of memory. */
  readonly isMemoryKill: boolean;
  /** Whether there never was a process. */
  readonly isForkFailure?: boolean;
}

/** What an exit means for the pool. */
export type Consequence =
  | { readonly type: 'none' }
  /** No worker ever came up: the service does not start. */
  | { readonly type: 'start_failed' }
  /** The generation that was being rolled out is given up. */
  | { readonly type: 'reload_failed' }
  /** Its number stays empty for a while, after `failures` in a row. */
  | { readonly type: 'delayed'; readonly delayMs: number; readonly failures: number };

/** Takes a child that has exited out of the pool. */
export function noteExit(pool: Pool, child: Child, exit: Exit, now: number): Ending & { consequence: Consequence } {
  const state = write(pool);
  const { worker, generation, pid } = child;
  const { requests } = child.beat;
  const { code, signal } = exit;
  const reason = reasonOf(pool, child, exit);
  const uptimeMs = Math.round(now - child.spawnedAt);
  const ending: Ending = { worker, generation, pid, code, signal, reason, uptimeMs, requests, endedAt: now };
  state.children.delete(worker);
  state.pastRequests += requests;
  state.lastExit = ending;
  if (crashes.includes(reason)) noteCrash(state, now);
  return { ...ending, consequence: consequenceOf(state, child, reason, causeOf(reason, exit), now) };
}

const crashes: readonly ExitReason[] = ['crashed', 'boot_failed', 'hung', 'killed'];

function reasonOf(pool: Pool, child: Child, { signal, hasBootError }: Exit): ExitReason {
  if (hasBootError) return 'boot_failed';
  const known = child.reason ?? guessReason(child, signal);
  // A terminal or a supervisor sends TERM to the whole process group.
  return known === 'killed' && pool.stopping !== undefined ? 'shutdown' : known;
}

function guessReason(child: Child, signal: NodeJS.Signals | null): ExitReason {
  if (child.state === 'booting') return 'boot_failed';
  return signal === 'SIGKILL' || signal === 'SIGTERM' ? 'killed' : 'crashed';
}

function noteCrash(pool: WritablePool, now: number): void {
  pool.crashes.push(now);
  const old = pool.crashes.findIndex((at) => at > now - minuteMs);
  pool.crashes.splice(0, Math.max(old, pool.crashes.length - mostCrashes));
}

function consequenceOf(
  pool: WritablePool,
  child: Child,
  reason: ExitReason,
  cause: FailureCause,
  now: number,
): Consequence {
  const { worker } = child;
  const before = pool.backoffs.get(worker);
  pool.backoffs.delete(worker);
  if (pool.stopping !== undefined || !hasFailed(child, reason, now)) return { type: 'none' };
  if (!pool.hasServed) {
    pool.stopping = 'graceful';
    return { type: 'start_failed' };
  }
  // What an outdated configuration cannot do says nothing of the wanted one.
  if (child.generation !== pool.generation) return { type: 'none' };
  if (pool.reloadFrom !== undefined && (reason === 'boot_failed' || reason === 'crashed')) {
    goBack(pool, pool.reloadFrom);
    return { type: 'reload_failed' };
  }
  // One that is too large from the start did boot.
  if (reason !== 'max_memory') pool.wasLastBootGood = false;
  const backoff = backOff(before, cause, pool.random(), now);
  pool.backoffs.set(worker, backoff);
  const delayMs = Math.round(backoff.resumeAt - now);
  return delayMs === 0 ? { type: 'none' } : { type: 'delayed', delayMs, failures: backoff.failures };
}

function causeOf(reason: ExitReason, { isMemoryKill, isForkFailure }: Exit): FailureCause {
  if (isForkFailure === true) return 'fork';
  return reason === 'killed' && !isMemoryKill ? 'kill' : 'failure';
}

/** Whether the next worker would most likely end the same way: it did not come up, or not for long and for nothing. */
function hasFailed({ readyAt, hasServed }: Child, reason: ExitReason, now: number): boolean {
  if (readyAt === undefined) return reason === 'boot_failed';
  const isInfant = now - readyAt < infancyMs;
  // It was told to leave for its size, and serves until another one does: here too, the next would be like it.
  if (reason === 'max_memory') return isInfant;
  return isInfant && !hasServed && crashes.includes(reason);
}

// What is wanted.

/** A new configuration is wanted. One that was still being rolled out is dropped; the last complete one stays the fallback. */
export function noteReload(pool: Pool, policy: Policy, target: number): void {
  const state = write(pool);
  if (pool.reloadFrom === undefined) state.wantedBefore = { policy: pool.policy, target: pool.target };
  state.reloadFrom ??= pool.generation;
  state.generation = ++state.lastGeneration;
  state.policy = policy;
  state.target = target;
  state.backoffs.clear();
}

/** All that connects reaches the wanted generation. */
export function noteReloaded(pool: Pool): void {
  write(pool).reloadFrom = undefined;
  write(pool).wantedBefore = undefined;
}

function goBack(pool: WritablePool, generation: number): void {
  Object.assign(pool, pool.wantedBefore);
  pool.generation = generation;
  noteReloaded(pool);
}

export type Scaling = 'more' | 'fewer' | 'dismiss';

/**
 * One worker more, one fewer (not below one), or none at all until a reload or a signal wants some again. It holds for a
 * reload under way, and for what is gone back to if that fails.
 */
export function noteScaled(pool: Pool, scaling: Scaling): void {
  const state = write(pool);
  state.target = scaled(pool.target, scaling);
  if (pool.wantedBefore !== undefined)
    state.wantedBefore = { ...pool.wantedBefore, target: scaled(pool.wantedBefore.target, scaling) };
}

function scaled(target: number, scaling: Scaling): number {
  if (scaling === 'more') return target + 1;
  return scaling === 'dismiss' || target === 0 ? 0 : Math.max(1, target - 1);
}

/** Nothing is spawned from now on, and what still boots has no more time than what finishes. A pace only grows. */
export function noteStopping(pool: Pool, pace: Pace, now: number): void {
  const state = write(pool);
  const isFaster = state.stopping === undefined || paces.indexOf(pace) > paces.indexOf(state.stopping);
  if (isFaster) state.stopping = pace;
  for (const child of state.children.values())
    if (child.state === 'booting') child.deadline = Math.min(child.deadline, now + pool.policy.graceMs);
}

const paces: readonly Pace[] = ['graceful', 'quick', 'immediate'];
