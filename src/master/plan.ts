/** Decides what the pool needs and touches nothing; `master.ts` carries the actions out. */

import type { ExitReason } from '../ipc/messages.ts';
import { type Child, childrenOf, type Pool } from './pool.ts';

export type Action =
  | { readonly type: 'spawn' }
  /** Ask it to finish. */
  | { readonly type: 'retire'; readonly child: Child; readonly reason: ExitReason }
  /** Do not ask. */
  | { readonly type: 'kill'; readonly child: Child; readonly reason: ExitReason }
  /** Whoever connects from now on reaches the wanted generation. */
  | { readonly type: 'finish_reload' }
  /** All are gone. */
  | { readonly type: 'stop' };

/** How many workers beyond the target a reload may have at once: enough to be quick, few enough for the memory. */
export function surgeOf(target: number): number {
  return Math.max(1, Math.floor(target / 4));
}

export function plan(pool: Pool, now: number): Action[] {
  const overdue = childrenOf(pool)
    .filter((child) => child.deadline <= now)
    .map((child): Action => ({ type: 'kill', child, reason: overdueReason(child) }));
  // A killed child still counts until it is gone; what its absence asks for is decided then.
  if (overdue.length > 0) return overdue;
  return pool.isStopping ? planStop(pool) : planService(pool, now);
}

function overdueReason(child: Child): ExitReason {
  if (child.state === 'booting') return 'boot_failed';
  return child.state === 'ready' || child.isHung ? 'hung' : 'killed';
}

function planStop(pool: Pool): Action[] {
  const children = childrenOf(pool);
  if (children.length === 0) return [{ type: 'stop' }];
  // Clients of a service that has no worker just now wait in the kernel's queue: the first that comes up serves them.
  const isUnserved = pool.hasServed && !children.some((child) => child.isAccepting);
  const last = isUnserved ? children.find((child) => child.state === 'booting') : undefined;
  return children.filter((child) => child !== last).flatMap((child) => leave(child, 'shutdown'));
}

/** A child that serves is asked; one that still boots has nothing to finish. */
function leave(child: Child, reason: ExitReason): Action[] {
  if (child.state === 'booting') return [{ type: 'kill', child, reason }];
  return child.state === 'ready' ? [{ type: 'retire', child, reason }] : [];
}

function planService(pool: Pool, now: number): Action[] {
  const { generation, target } = pool;
  const isWanted = (child: Child) => child.generation === generation && child.worn === undefined;
  const staying = childrenOf(pool).filter(isStaying);
  const wanted = staying.filter(isWanted);
  const outdated = staying.filter((child) => !isWanted(child));
  const ready = wanted.filter((child) => child.state === 'ready');
  const servingOutdated = outdated.filter((child) => child.state === 'ready');

  const actions: Action[] = outdated
    .filter((child) => child.state === 'booting')
    .flatMap((child) => leave(child, 'reload'));
  // An old one goes only when a new one serves in its place.
  const replaced = Math.max(0, Math.min(servingOutdated.length, ready.length + servingOutdated.length - target));
  for (const child of servingOutdated.slice(0, replaced))
    actions.push(...leave(child, child.generation === generation ? child.worn! : 'reload'));

  // One that still boots is easier to do without; among equals, the youngest.
  const byWorth = [...ready, ...wanted.filter((child) => child.state === 'booting')];
  for (const child of byWorth.slice(target)) actions.push(...leave(child, 'scaled_down'));

  if (now >= pool.resumeAt) {
    const room = target + surgeOf(target) - wanted.length - servingOutdated.length;
    const missing = Math.max(0, Math.min(target - wanted.length, room));
    for (let count = 0; count < missing; count++) actions.push({ type: 'spawn' });
  }
  const isReplaced = childrenOf(pool).every((child) => child.generation === generation || !child.isAccepting);
  const isComplete = ready.length === target && wanted.length === target && isReplaced;
  if (pool.reloadFrom !== undefined && isComplete) actions.push({ type: 'finish_reload' });
  return actions;
}

function isStaying(child: Child): boolean {
  return child.state === 'booting' || child.state === 'ready';
}

/** When the plan must be looked at again if nothing happens before; Infinity if never. */
export function nextLook(pool: Pool, now: number): number {
  const deadlines = childrenOf(pool).map((child) => child.deadline);
  return Math.min(...deadlines, pool.resumeAt > now ? pool.resumeAt : Number.POSITIVE_INFINITY);
}
