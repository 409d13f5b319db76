/** The end of a child, entered in the pool's records: why it ended, and what follows from that. */

import type { ExitReason } from '../ipc/messages.ts';
import { backOff, type FailureCause, infancyMs } from './backoff.ts';
import { noteReloaded } from './notes.ts';
import type { Child, Ending, Pool } from './pool.ts';
import { type WritablePool, write } from './writable.ts';

const minuteMs = 60_000;
/** At most this many crashes of the last minute are kept. */
const mostCrashes = 1000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it reported that it failed to boot. */
  readonly hasBootError: boolean;
  /** Whether the kernel most likely killed it for lack of memory. */
  readonly isMemoryKill: boolean;
  /** Whether its process could not be started. */
  readonly isForkFailure?: boolean;
}

/** What an exit means for the pool. */
export type Consequence =
  | { readonly type: 'none' }
  /** No worker ever came up: the service does not start. */
  | { readonly type: 'start_failed' }
  /** The wanted generation cannot boot, and its error is to be served in its place. */
  | { readonly type: 'broken' }
  /** The generation that was being rolled out is given up. */
  | { readonly type: 'reload_failed' }
  /** Its number stays empty for a while, after `failures` in a row. The crashes are those of all workers. */
  | {
      readonly type: 'delayed';
      readonly delayMs: number;
      readonly failures: number;
      readonly crashesLastMinute: number;
    };

/** Removes a child that has exited from the pool. @returns how it ended, and what follows */
export function noteExit(pool: Pool, child: Child, exit: Exit, now: number): Ending & { consequence: Consequence } {
  const state = write(pool);
  const { worker, generation, pid } = child;
  const { requests } = child.beat;
  const { code, signal } = exit;
  const reason = reasonOf(pool, child, exit);
  const uptimeMs = Math.round(now - child.spawnedAt);
  const ending: Ending = { worker, generation, pid, code, signal, reason, uptimeMs, requests, endedAt: now };
  state.children.delete(child.seat);
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
  const isBroken = reason === 'boot_failed' || reason === 'crashed';
  if (pool.policy.showsErrors && isBroken && child.generation === pool.generation) return { type: 'broken' };
  if (!pool.hasServed) {
    pool.stopping = 'graceful';
    return { type: 'start_failed' };
  }
  // A failure under an outdated configuration says nothing about the wanted one.
  if (child.generation !== pool.generation) return { type: 'none' };
  if (pool.reloadFrom !== undefined && isBroken) {
    goBack(pool, pool.reloadFrom);
    return { type: 'reload_failed' };
  }
  // A worker that exceeds its memory limit from the start did boot.
  if (reason !== 'max_memory') pool.wasLastBootGood = false;
  const backoff = backOff(before, cause, pool.random(), now);
  pool.backoffs.set(worker, backoff);
  const delayMs = Math.round(backoff.resumeAt - now);
  if (delayMs === 0) return { type: 'none' };
  const crashesLastMinute = pool.crashes.filter((at) => at > now - minuteMs).length;
  return { type: 'delayed', delayMs, failures: backoff.failures, crashesLastMinute };
}

function causeOf(reason: ExitReason, { isMemoryKill, isForkFailure }: Exit): FailureCause {
  if (isForkFailure === true) return 'fork';
  return reason === 'killed' && !isMemoryKill ? 'kill' : 'failure';
}

/** Whether the next worker would most likely end the same way: this one failed to boot, or died young before any request. */
function hasFailed({ readyAt, hasServed }: Child, reason: ExitReason, now: number): boolean {
  if (readyAt === undefined) return reason === 'boot_failed';
  if (hasServed || now - readyAt >= infancyMs) return false;
  // The next worker would be too large from the start as well.
  return reason === 'max_memory' || crashes.includes(reason);
}

/** The generation on trial is worse: the old one goes on. */
export function noteRejected(pool: Pool): void {
  if (pool.reloadFrom === undefined) return;
  write(pool).rejected = pool.generation;
  goBack(write(pool), pool.reloadFrom);
}

function goBack(pool: WritablePool, generation: number): void {
  // Pauses were for the generation that is given up.
  pool.backoffs.clear();
  Object.assign(pool, pool.wantedBefore);
  pool.generation = generation;
  noteReloaded(pool);
}
