/** Decides what the pool needs and touches nothing; `executor.ts` carries the actions out. */

import { type ExitReason, idleGraceMs } from '../ipc/messages.ts';
import { quickStopMs } from './notes.ts';
import { type Child, childrenOf, expiryOf, freeNumbers, type Pool, readyOf, recycleReasonOf } from './pool.ts';

export type Action =
  /** Spawn a worker with this number. */
  | { readonly type: 'spawn'; readonly worker: number }
  /** It has this number from now on: the one that had it is gone. */
  | { readonly type: 'renumber'; readonly child: Child; readonly worker: number }
  /** Ask it to finish what runs in `graceMs`, and to close idle connections after `idleGraceMs`. */
  | {
      readonly type: 'retire';
      readonly child: Child;
      readonly reason: ExitReason;
      readonly graceMs: number;
      readonly idleGraceMs: number;
    }
  /** Ask it to close what is idle, and to finish what runs in `graceMs`. */
  | { readonly type: 'hurry'; readonly child: Child; readonly graceMs: number }
  /** Ask its watchdog what it is doing. */
  | { readonly type: 'question'; readonly child: Child }
  /** Kill it without asking. `isOverdue`: it has missed a deadline. */
  | { readonly type: 'kill'; readonly child: Child; readonly reason: ExitReason; readonly isOverdue: boolean }
  /** New connections reach only the wanted generation from now on. */
  | { readonly type: 'finish_reload' }
  /** All children are gone: the master ends. */
  | { readonly type: 'stop' };

/** Under `--reload`: how long running requests may take to finish after their code has changed. */
const developmentGraceMs = 3000;

/** How many workers beyond the target a reload may have at once: enough to be quick, few enough for the memory. */
export function surgeOf(target: number): number {
  return Math.max(1, Math.floor(target / 4));
}

export function plan(pool: Pool, now: number): Action[] {
  const children = childrenOf(pool);
  const questions = children
    .filter((child) => child.questionAt <= now && child.deadline > now)
    .map((child): Action => ({ type: 'question', child }));
  const overdue = children.filter((child) => child.deadline <= now);
  // A killed child counts until it is gone; only then is its replacement decided.
  if (overdue.length > 0) return [...questions, ...overdue.map((child) => kill(child, overdueReason(child), true))];
  return [...questions, ...(pool.stopping === undefined ? planService(pool, now) : planStop(pool))];
}

function kill(child: Child, reason: ExitReason, isOverdue = false): Action {
  return { type: 'kill', child, reason, isOverdue };
}

function overdueReason(child: Child): ExitReason {
  if (child.state === 'booting') return 'boot_failed';
  return child.state === 'ready' || child.isHung ? 'hung' : 'killed';
}

function planStop(pool: Pool): Action[] {
  const children = childrenOf(pool);
  if (children.length === 0) return [{ type: 'stop' }];
  const living = children.filter(({ state }) => state !== 'killed');
  if (pool.stopping === 'immediate') return living.map((child) => kill(child, 'shutdown'));
  if (pool.stopping === 'quick')
    return living
      .filter(({ isHurried }) => !isHurried)
      .map((child) =>
        child.state === 'booting' ? kill(child, 'shutdown') : { type: 'hurry', child, graceMs: quickStopMs },
      );
  // Clients of a service without a worker wait in the accept queue; the first worker that is ready serves them.
  const isUnserved = pool.hasServed && !children.some((child) => child.isAccepting);
  const last = isUnserved ? children.find((child) => child.state === 'booting') : undefined;
  return children.filter((child) => child !== last).flatMap((child) => leave(pool, child, 'shutdown'));
}

/** A serving child is asked to finish; one that still boots has nothing to finish. */
function leave({ policy, stopping }: Pool, child: Child, reason: ExitReason): Action[] {
  const { graceMs } = policy;
  if (child.state === 'booting') return [kill(child, reason)];
  if (child.state !== 'ready') return [];
  // A browser's next request must reach the new code, and open WebSockets would keep a worker for each save.
  if (policy.isDevelopment && stopping === undefined)
    return [{ type: 'retire', child, reason, graceMs: Math.min(graceMs, developmentGraceMs), idleGraceMs: 0 }];
  const longest = stopping === undefined ? idleGraceMs.replacement : idleGraceMs.stop;
  return [{ type: 'retire', child, reason, graceMs, idleGraceMs: Math.min(longest, graceMs / 2) }];
}

/** The children that serve or boot, by how much the pool needs them. */
interface Survey {
  /** Of the wanted generation, and not to be recycled. */
  readonly ready: readonly Child[];
  readonly booting: readonly Child[];
  /** Others, which serve until a wanted one replaces them. */
  readonly outdated: readonly Child[];
  /** Others that still boot: nobody needs them. */
  readonly useless: readonly Child[];
}

function survey(pool: Pool, now: number): Survey {
  const children = childrenOf(pool);
  const isWanted = (child: Child) => child.generation === pool.generation && recycleReasonOf(child, now) === undefined;
  const ready = readyOf(pool);
  const booting = children.filter(({ state }) => state === 'booting');
  return {
    ready: ready.filter(isWanted),
    booting: booting.filter(isWanted),
    outdated: ready.filter((child) => !isWanted(child)),
    useless: booting.filter((child) => !isWanted(child)),
  };
}

function planService(pool: Pool, now: number): Action[] {
  const { generation, target, canaries } = pool;
  const { ready, booting, outdated, useless } = survey(pool, now);
  const takeovers = takeoversOf(pool, ready, now);
  // What numbers are free for new workers follows from that.
  if (takeovers.length > 0) return takeovers;
  const actions = useless.flatMap((child) => leave(pool, child, outdatedReason(pool, child, now)));
  for (const child of replaceable(pool, ready, outdated))
    actions.push(...leave(pool, child, outdatedReason(pool, child, now)));

  // Children that still boot go first, then the highest numbers: those that stay are 1 to N.
  const most = mostWanted(pool, outdated.length);
  for (const child of [...byNumber(ready), ...booting].slice(most)) actions.push(...leave(pool, child, 'scaled_down'));

  for (const { worker, waitMs } of vacanciesOf(pool, now)) if (waitMs === 0) actions.push({ type: 'spawn', worker });

  const isReplaced = childrenOf(pool).every((child) => child.generation === generation || !child.isAccepting);
  const isComplete = ready.length === target && booting.length === 0 && isReplaced;
  if (pool.reloadFrom !== undefined && canaries === 0 && isComplete) actions.push({ type: 'finish_reload' });
  return actions;
}

/**
 * The wanted workers with numbers above the target take over those that others have left, so that the numbers at rest are 1 to
 * N. A number that waits after failures is left to its next worker: otherwise that would get another number, and not wait.
 */
function takeoversOf(pool: Pool, ready: readonly Child[], now: number): Action[] {
  const above = byNumber(ready).filter(({ worker }) => worker > pool.target);
  if (above.length === 0) return [];
  const waiting = vacanciesOf(pool, now).filter(({ waitMs }) => waitMs > 0);
  const takeovers: Action[] = [];
  for (const worker of freeNumbers(pool)) {
    const child = above[takeovers.length];
    if (child === undefined || worker > pool.target) break;
    if (!waiting.some((vacancy) => vacancy.worker === worker)) takeovers.push({ type: 'renumber', child, worker });
  }
  return takeovers;
}

function byNumber(children: readonly Child[]): Child[] {
  return [...children].sort((one, other) => one.worker - other.worker);
}

/** An old worker goes only when a new one serves in its place. During a trial, only those beyond the target go. */
function replaceable(
  { target, canaries, reloadFrom }: Pool,
  ready: readonly Child[],
  outdated: readonly Child[],
): Child[] {
  const spare = (canaries > 0 ? 0 : ready.length) + outdated.length - target;
  // First the workers of a trial that was given up for a newer one.
  const isOther = ({ generation }: Child) => canaries > 0 && generation !== reloadFrom;
  const ordered = [...outdated.filter(isOther), ...outdated.filter((child) => !isOther(child))];
  return ordered.slice(0, Math.max(0, spare));
}

function outdatedReason(pool: Pool, child: Child, now: number): ExitReason {
  if (child.generation === pool.rejected) return 'canary';
  return child.generation === pool.generation ? (recycleReasonOf(child, now) ?? 'reload') : 'reload';
}

/** How many workers of the wanted generation there may be. While it is on trial, it fills the gaps that old ones leave, too. */
function mostWanted({ target, canaries }: Pool, outdated: number): number {
  return canaries === 0 || target === 0 ? target : Math.min(target, canaries + Math.max(0, target - outdated));
}

export interface Vacancy {
  readonly worker: number;
  /** 0 where it may be filled now. */
  readonly waitMs: number;
}

/** The numbers that are to be filled: the lowest that are free. So a worker that replaces one which still runs gets one above. */
export function vacanciesOf(pool: Pool, now: number): Vacancy[] {
  if (pool.stopping !== undefined) return [];
  const { ready, booting, outdated } = survey(pool, now);
  const { target } = pool;
  const wanted = ready.length + booting.length;
  const surge = pool.policy.isDevelopment ? target : surgeOf(target);
  const missing = Math.min(mostWanted(pool, outdated.length) - wanted, target + surge - wanted - outdated.length);
  if (missing <= 0) return [];
  const vacancies: Vacancy[] = [];
  for (const worker of freeNumbers(pool)) {
    vacancies.push({ worker, waitMs: mayWait(pool) ? waitOf(pool, worker, now) : 0 });
    if (vacancies.length === missing) break;
  }
  return vacancies;
}

/** No pause while fewer than half of the workers are ready, unless the last one to boot has failed since: then the next would too. */
function mayWait(pool: Pool): boolean {
  return !pool.wasLastBootGood || readyOf(pool).length * 2 >= pool.target;
}

function waitOf({ backoffs }: Pool, worker: number, now: number): number {
  return Math.max(0, (backoffs.get(worker)?.resumeAt ?? 0) - now);
}

/** When the plan must be made again if nothing happens before; Infinity if never. */
export function nextDeadline(pool: Pool, now: number): number {
  let due = pool.drainUntil;
  for (const child of pool.children.values())
    due = Math.min(due, child.deadline, child.questionAt, dueExpiry(child, now));
  for (const { resumeAt } of pool.backoffs.values()) if (resumeAt > now) due = Math.min(due, resumeAt);
  return due;
}

/** A deadline that was acted on is no longer due. */
function dueExpiry(child: Child, now: number): number {
  const expiry = expiryOf(child);
  return expiry > now ? expiry : Number.POSITIVE_INFINITY;
}
