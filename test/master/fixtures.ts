/** A pool with a virtual clock, and what the master would do with it. */

import type { Beat } from '../../src/ipc/messages.ts';
import { type Exit, noteExit } from '../../src/master/endings.ts';
import { addChild, noteBeat, noteReady, noteReloaded, noteRenumbered, noteRetiring } from '../../src/master/notes.ts';
import { plan, vacanciesOf } from '../../src/master/plan.ts';
import { type Child, createPool, freeNumbers, type Policy, type Pool } from '../../src/master/pool.ts';

export const policy: Policy = {
  bootMs: 1000,
  timeoutMs: 500,
  graceMs: 2000,
  maxRequests: 100,
  requestsJitter: 20,
  maxLifetimeMs: Number.POSITIVE_INFINITY,
  maxMemoryBytes: 1000,
  isDevelopment: false,
  showsErrors: false,
};

/** Half of every jitter: the 110th request, and pauses of their plain length. */
export function poolOf(target: number, changes: Partial<Policy> = {}): Pool {
  return createPool({ ...policy, ...changes }, target, () => 0.5);
}

/** What the plan wants of children, without how. */
export function wants(pool: Pool, now: number): object[] {
  return plan(pool, now).map(({ type, ...action }) => ({
    type,
    ...('child' in action ? { child: action.child } : {}),
    ...('worker' in action ? { worker: action.worker } : {}),
    ...('reason' in action ? { reason: action.reason } : {}),
  }));
}

/** Enters a child under the number that is to be filled next, or else the lowest that is free. */
export function spawn(pool: Pool, now: number): Child {
  const vacancy = vacanciesOf(pool, now).find(({ waitMs }) => waitMs === 0);
  return addChild(pool, vacancy?.worker ?? freeNumbers(pool).next().value!, now);
}

export function spawnReady(pool: Pool, now: number): Child {
  const child = spawn(pool, now);
  noteReady(pool, child, now);
  return child;
}

/** @param how a signal, or null for an exit */
export function end(
  pool: Pool,
  child: Child,
  how: NodeJS.Signals | null,
  now: number,
  more: Partial<Exit> = {},
): ReturnType<typeof noteExit> {
  const code = how === null ? 0 : null;
  return noteExit(pool, child, { code, signal: how, hasBootError: false, isMemoryKill: false, ...more }, now);
}

export function beat(pool: Pool, child: Child, changes: Partial<Beat>, now: number): void {
  noteBeat(pool, child, { requests: 0, running: 0, memoryBytes: 0, ...changes }, now);
}

/** Does what the plan says, as the master would, with workers that boot at once. */
export function settle(pool: Pool, now: number): void {
  for (let round = 0; round < 100; round++) {
    const actions = plan(pool, now);
    if (actions.length === 0) return;
    for (const action of actions) {
      if (action.type === 'spawn') noteReady(pool, addChild(pool, action.worker, now), now);
      else if (action.type === 'finish_reload') noteReloaded(pool);
      else if (action.type === 'renumber') noteRenumbered(pool, action.child, action.worker);
      else if (action.type === 'retire' || action.type === 'kill') {
        noteRetiring(action.child, action.reason, policy.graceMs, now);
        end(pool, action.child, null, now);
      } else return;
    }
  }
  throw new Error('the plan does not settle');
}
