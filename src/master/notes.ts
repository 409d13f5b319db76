/**
 * Enters events in the pool's records; `endings.ts` enters the end of a child. No processes and no clock here: time is
 * an argument.
 */

import type { Beat, ExitReason } from '../ipc/messages.ts';
import { type Child, type Pace, type Policy, type Pool, readyOf } from './pool.ts';
import { type WritableChild, write } from './writable.ts';

/** A worker out of time ends itself and logs what it cuts. If it does not, the master asks its watchdog this much later. */
export const questionMs = 200;
/**
 * How long the watchdog of a silent or overdue worker may take to answer before the worker is killed. It takes up to 900 ms
 * by itself, and longer where more threads than CPUs want to run.
 */
export const answerMs = 2000;
/** A blocked worker has ended at most this long after its grace. */
export const overstayMs = questionMs + answerMs;
/** How long running requests have at a quick stop. */
export const quickStopMs = 1000;

// Children.

/** Enters a child before it is spawned: one that hangs while booting must be overdue too. */
export function addChild(pool: Pool, worker: number, now: number): Child {
  const { policy, generation, random } = pool;
  let seat = 1;
  while (pool.children.has(seat)) seat++;
  const child: Child = {
    seat,
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
    heardAt: now,
    hasServed: false,
    timeoutMs: policy.timeoutMs,
    requestLimit: policy.maxRequests + Math.floor(random() * (policy.requestsJitter + 1)),
    lifetimeMs: policy.maxLifetimeMs * (1 + random() / 10),
    recycleReason: undefined,
    isHung: false,
    isHurried: false,
  };
  write(pool).children.set(seat, child);
  return child;
}

export function noteForked(child: WritableChild, pid: number | undefined): void {
  child.pid = pid;
}

/** It takes over the number of one that has left. What is known of failures under its old number goes along. */
export function noteRenumbered(pool: Pool, child: WritableChild, worker: number): void {
  const { backoffs } = write(pool);
  const backoff = backoffs.get(child.worker);
  backoffs.delete(child.worker);
  if (backoff === undefined) backoffs.delete(worker);
  else backoffs.set(worker, backoff);
  child.worker = worker;
}

export function noteReady(pool: Pool, child: WritableChild, now: number): void {
  if (child.state !== 'booting') return;
  child.state = 'ready';
  child.readyAt = now;
  child.heardAt = now;
  child.isAccepting = true;
  beginPatience(child, now);
  write(pool).hasServed = true;
  write(pool).wasLastBootGood = true;
}

/** Its first request has come. */
export function noteServing(child: WritableChild): void {
  child.hasServed = true;
}

export function noteBeat(pool: Pool, child: WritableChild, beat: Beat, now: number): void {
  // The first beat comes at once: a worker that boots with more than it may use would be replaced several times a second.
  const isFirst = child.beat.memoryBytes === 0;
  // A worker that is about to exit no longer measures its memory.
  child.beat = { ...beat, memoryBytes: beat.memoryBytes || child.beat.memoryBytes };
  child.heardAt = now;
  if (beat.requests > 0) noteServing(child);
  noteExcused(child, now);
  if (child.state !== 'ready') return;
  if (beat.requests >= child.requestLimit) child.recycleReason ??= 'max_requests';
  else if (!isFirst && beat.memoryBytes > pool.policy.maxMemoryBytes) child.recycleReason ??= 'max_memory';
}

/** It is alive, or its silence has an outside cause: its deadline starts again. */
export function noteExcused(child: WritableChild, now: number): void {
  if (child.state === 'ready' && !child.isHung) beginPatience(child, now);
}

function beginPatience(child: WritableChild, now: number): void {
  child.questionAt = now + child.timeoutMs;
  child.deadline = child.questionAt + answerMs;
}

/** Its watchdog has found it hung. A retiring worker that hangs will not finish either. */
export function noteHung(child: WritableChild, now: number): void {
  if (child.state !== 'ready' && child.state !== 'retiring') return;
  child.isHung = true;
  child.deadline = now;
}

/**
 * It was asked to finish, or reported that it finishes. A reason that is known already stays, and so does an earlier deadline.
 * @param graceMs how long its requests have
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

/** It was asked to finish quickly. */
export function noteHurried(child: WritableChild, now: number): void {
  child.isHurried = true;
  noteRetiring(child, 'shutdown', quickStopMs, now);
}

/** It is blocked for a known reason, and has until `deadline`. A stop of the service does not wait for it. */
export function noteExtended(pool: Pool, child: WritableChild, deadline: number): void {
  if (child.state !== 'retiring' || pool.stopping !== undefined) return;
  child.deadline = deadline;
  child.questionAt = Number.POSITIVE_INFINITY;
}

/** It has closed its listeners. */
export function noteDraining(child: WritableChild): void {
  child.isAccepting = false;
}

/** Its watchdog was asked what it is doing. */
export function noteQuestioned(child: WritableChild): void {
  child.questionAt = Number.POSITIVE_INFINITY;
}

/** The machine has not let its watchdog answer. */
export function noteStarved(child: WritableChild, now: number): void {
  child.deadline = now + answerMs;
}

/**
 * Its watchdog has answered; there is nothing more to wait for. If the main thread is well, its beats have just not been read yet.
 * @param silentMs of the main thread
 */
export function noteReported(child: WritableChild, silentMs: number, now: number): void {
  child.heardAt = Math.max(child.heardAt, now - silentMs);
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
 * The master itself did not run for `ms`. The deadlines of children that serve start anew, because their beats may lie unread;
 * those of the others move by as much as was lost.
 */
export function noteOverslept(pool: Pool, ms: number, now: number): void {
  for (const child of write(pool).children.values()) {
    if (child.isHung) continue;
    child.heardAt = Math.min(now, child.heardAt + ms);
    noteExcused(child, now);
    if (child.state === 'ready') continue;
    child.deadline += ms;
    child.questionAt += ms;
  }
}

// What is wanted.

/**
 * A new configuration is wanted. One that was still being rolled out is dropped; the last complete one stays the fallback.
 * @param scalings the worker counts that were asked for while the new configuration was read
 * @param canaries how many of its workers serve beside the old ones until it is judged; 0 for no trial
 */
export function noteReload(
  pool: Pool,
  policy: Policy,
  target: number,
  scalings: readonly Scaling[] = [],
  canaries = 0,
): void {
  const state = write(pool);
  const { policy: policyBefore, target: targetBefore, least } = pool;
  if (pool.reloadFrom === undefined) state.wantedBefore = { policy: policyBefore, target: targetBefore, least };
  state.reloadFrom ??= pool.generation;
  state.generation = ++state.lastGeneration;
  state.policy = policy;
  // What the load has added stays: a reload takes no capacity away.
  const added = targetBefore > least ? targetBefore : 0;
  state.least = scalings.reduce(scaled, target);
  state.target = state.least === 0 ? 0 : Math.max(state.least, added);
  // Without an old worker there is nothing to compare with, and nobody else to serve.
  state.canaries = readyOf(pool).length === 0 ? 0 : canaries;
  state.backoffs.clear();
}

/** The generation on trial is no worse: it replaces the old one. */
export function noteTrialPassed(pool: Pool): void {
  write(pool).canaries = 0;
}

/** The reload is over: `generation` serves, be it the new one or the one before. */
export function noteReloaded(pool: Pool): void {
  write(pool).reloadFrom = undefined;
  write(pool).wantedBefore = undefined;
  write(pool).canaries = 0;
}

export type Scaling = 'more' | 'fewer' | 'dismiss' | number;

/**
 * Sets the least number of workers: a number, one more, one fewer (not below one), or none until a reload or a signal asks for
 * some again. It also holds for the generation that a failed reload goes back to. What the load has added stays until the load falls.
 */
export function noteScaled(pool: Pool, scaling: Scaling): void {
  const state = write(pool);
  Object.assign(state, rescaled(pool, scaling));
  if (pool.wantedBefore !== undefined)
    state.wantedBefore = { ...pool.wantedBefore, ...rescaled(pool.wantedBefore, scaling) };
}

function rescaled(wanted: Pick<Pool, 'target' | 'least'>, scaling: Scaling): Pick<Pool, 'target' | 'least'> {
  const least = scaled(wanted.least, scaling);
  const isByLoad = wanted.target > wanted.least && least > 0;
  return { least, target: isByLoad ? Math.max(least, wanted.target) : least };
}

/** The load needs this many workers. */
export function noteNeeded(pool: Pool, workers: number): void {
  write(pool).target = Math.max(pool.least, workers);
}

function scaled(target: number, scaling: Scaling): number {
  if (typeof scaling === 'number') return scaling;
  if (scaling === 'more') return target + 1;
  return scaling === 'dismiss' || target === 0 ? 0 : Math.max(1, target - 1);
}

/** The service goes on for a while, and then stops. */
export function noteDrainDelay(pool: Pool, until: number): void {
  write(pool).drainUntil = until;
}

/**
 * Nothing is spawned from now on. A worker that still boots, or is blocked for a known reason, gets no more time than one that
 * finishes its requests. A stop can only become faster.
 */
export function noteStopping(pool: Pool, pace: Pace, now: number): void {
  const state = write(pool);
  state.drainUntil = Number.POSITIVE_INFINITY;
  const isFaster = state.stopping === undefined || paces.indexOf(pace) > paces.indexOf(state.stopping);
  if (isFaster) state.stopping = pace;
  const end = now + pool.policy.graceMs;
  for (const child of state.children.values())
    if (child.state === 'booting') child.deadline = Math.min(child.deadline, end);
    else if (child.state === 'retiring') child.deadline = Math.min(child.deadline, end + overstayMs);
}

const paces: readonly Pace[] = ['graceful', 'quick', 'immediate'];
