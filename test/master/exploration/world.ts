/** A small world: a pool, a clock, and what may still happen. */

import { infancyMs } from '../../../src/master/backoff.ts';
import type * as realEndings from '../../../src/master/endings.ts';
import type * as realNotes from '../../../src/master/notes.ts';
import type * as realPlan from '../../../src/master/plan.ts';
import { type Child, childrenOf, createPool, type Policy, type Pool } from '../../../src/master/pool.ts';

/** What is explored: the real functions, or some with a planted fault. */
export interface Rules {
  readonly notes: typeof realNotes & typeof realEndings;
  readonly plan: typeof realPlan;
}

/** How often each kind of thing happens at most. */
export interface Budget {
  /** Boots that fail, crashes, hangs, workers that leave by themselves. */
  readonly failures: number;
  readonly reloads: number;
  /** Workers that are to be recycled. */
  readonly recyclings: number;
  readonly scalings: number;
  readonly stops: number;
  /** Stops that `--drain-delay` holds back. */
  readonly delays: number;
  /** Workers that leave, and write a heap snapshot at the end. */
  readonly snapshots: number;
  /** Changes of how many workers the load needs. */
  readonly loads: number;
  /** Reloads whose first workers are tried beside the old ones. */
  readonly trials: number;
}

/** Far apart, so that the order in which they end is the same wherever they began. */
export const policy: Policy = {
  bootMs: 1e12,
  timeoutMs: 1e9,
  graceMs: 1000,
  maxRequests: 1,
  requestsJitter: 0,
  maxLifetimeMs: Number.POSITIVE_INFINITY,
  maxMemoryBytes: Number.POSITIVE_INFINITY,
  isDevelopment: false,
  showsErrors: false,
};
export const mostWorkers = 3;
/** Of `--drain-delay`. */
export const delayMs = 3000;
export const snapshotMs = 500_000;
/** What ends later than this is told apart by what it is. */
export const farMs = 1e6;

export interface World {
  readonly pool: Pool;
  readonly now: number;
  readonly budget: Budget;
  /** What the world knows by itself: numbers whose last worker did not come up, or not for long and for nothing. */
  readonly failed: ReadonlySet<number>;
  readonly wasLastBootGood: boolean;
  /** Likewise: what the configuration says, what was asked for last, and what is gone back to if the reload fails. */
  readonly configured: number;
  readonly wanted: number;
  readonly wantedBefore: number | undefined;
  /** Whether there may be more, for the load. */
  readonly hasLoad: boolean;
  /** All are gone, as was asked. */
  readonly isOver: boolean;
}

export type Draft = { -readonly [K in keyof Omit<World, 'failed'>]: World[K] } & { readonly failed: Set<number> };

export class Violation extends Error {}

export function hold(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Violation(otherwise);
}

export function createWorld(target: number, budget: Budget): Draft {
  const pool = createPool(policy, target, () => 0.5);
  return {
    pool,
    now: 0,
    budget,
    failed: new Set(),
    wasLastBootGood: true,
    configured: target,
    wanted: target,
    wantedBefore: undefined,
    hasLoad: false,
    isOver: false,
  };
}

/** As wanted, and nothing left to do. */
export function isGood({ pool, isOver }: World): boolean {
  if (pool.stopping !== undefined || pool.drainUntil < Number.POSITIVE_INFINITY) return isOver;
  const isWell = (child: Child) =>
    child.state === 'ready' &&
    child.generation === pool.generation &&
    child.recycleReason === undefined &&
    !isSilent(child);
  const children = childrenOf(pool);
  return pool.reloadFrom === undefined && children.length === pool.target && children.every(isWell);
}

/** It should have beaten, and its watchdog is asked about it. */
export function isSilent({ state, questionAt }: Child): boolean {
  return state === 'ready' && questionAt === Number.POSITIVE_INFINITY;
}

/** When something is to be done. Those that are ready beat, and are never due. */
export function nextDue({ pool, now }: World): number {
  const dues = [...pool.backoffs.values()].map(({ resumeAt }) => resumeAt).filter((due) => due > now);
  for (const child of pool.children.values())
    if (child.state !== 'ready' || isSilent(child)) dues.push(child.deadline, child.questionAt);
  return Math.min(pool.drainUntil, ...dues);
}

/** Field by field: a world is copied for each event in each state, and a spread takes four times as long. */
export function draftOf(world: World): Draft {
  const { pool, now, budget, failed, wasLastBootGood, configured, wanted, wantedBefore, hasLoad, isOver } = world;
  return {
    pool: copyOfPool(pool),
    now,
    budget,
    failed: failed.size === 0 ? new Set() : new Set(failed),
    wasLastBootGood,
    configured,
    wanted,
    wantedBefore,
    hasLoad,
    isOver,
  };
}

function copyOfPool(pool: Pool): Pool {
  const children = new Map<number, Child>();
  for (const [seat, child] of pool.children) children.set(seat, copyOfChild(child));
  return {
    children,
    policy: pool.policy,
    target: pool.target,
    least: pool.least,
    generation: pool.generation,
    canaries: pool.canaries,
    rejected: pool.rejected,
    reloadFrom: pool.reloadFrom,
    wantedBefore: pool.wantedBefore,
    lastGeneration: pool.lastGeneration,
    hasServed: pool.hasServed,
    stopping: pool.stopping,
    drainUntil: pool.drainUntil,
    backoffs: pool.backoffs.size === 0 ? new Map() : new Map(pool.backoffs),
    wasLastBootGood: pool.wasLastBootGood,
    crashes: [],
    lastExit: pool.lastExit,
    pastRequests: pool.pastRequests,
    random: pool.random,
  };
}

function copyOfChild(child: Child): Child {
  return {
    seat: child.seat,
    worker: child.worker,
    generation: child.generation,
    pid: child.pid,
    spawnedAt: child.spawnedAt,
    readyAt: child.readyAt,
    state: child.state,
    isAccepting: child.isAccepting,
    deadline: child.deadline,
    questionAt: child.questionAt,
    reason: child.reason,
    beat: child.beat,
    heardAt: child.heardAt,
    hasServed: child.hasServed,
    timeoutMs: child.timeoutMs,
    requestLimit: child.requestLimit,
    lifetimeMs: child.lifetimeMs,
    recycleReason: child.recycleReason,
    isHung: child.isHung,
    isHurried: child.isHurried,
  };
}

/** Numbers for values of any kind, in the order in which they come. */
const numbers = new Map<unknown, number>();

function numberOf(value: unknown): number {
  const known = numbers.get(value);
  if (known !== undefined) return known;
  const number = numbers.size;
  if (number > 0xffff) throw new Error('there are more values than characters');
  numbers.set(value, number);
  return number;
}

/**
 * Two worlds with the same key have the same future. Only what is still to come counts, and not when it began; a number
 * counts only where one has failed, else whether it is above the target; and of those that leave, what they are to the others. A character for each value: keys
 * of a few hundred characters would take half of the time.
 */
export function keyOf({ pool, now, budget, failed, wasLastBootGood, hasLoad, isOver }: World): string {
  const { wantedBefore: before, backoffs } = pool;
  const parts = [
    budget.failures,
    budget.reloads,
    budget.recyclings,
    budget.scalings,
    budget.stops,
    budget.delays,
    budget.snapshots,
    budget.loads,
    budget.trials,
    Number(wasLastBootGood),
    Number(pool.wasLastBootGood),
    Number(pool.hasServed),
    Number(hasLoad),
    Number(isOver),
    numberOf(pool.stopping),
    numberOf(pool.drainUntil - now),
    pool.least,
    pool.target,
    pool.canaries,
    pool.generation,
    numberOf(pool.reloadFrom),
    numberOf(before?.least),
    numberOf(before?.target),
    failed.size,
    backoffs.size,
  ];
  if (failed.size > 0) parts.push(...[...failed].sort());
  for (const [worker, { failures, resumeAt }] of [...backoffs].sort(([one], [other]) => one - other))
    parts.push(worker, failures, numberOf(Math.max(0, resumeAt - now)));
  const leaving: string[] = [];
  const hasNumbers = backoffs.size > 0 || failed.size > 0;
  for (const child of pool.children.values()) {
    const { worker, state } = child;
    const number = hasNumbers ? worker : Number(worker > pool.target);
    if (state === 'killed' || state === 'retiring') leaving.push(leavingKey(child, number, now));
    else putStaying(parts, child, number, now);
  }
  return String.fromCharCode(...parts) + leaving.sort().join('');
}

function putStaying(parts: number[], child: Child, number: number, now: number): void {
  const { state, generation, deadline, recycleReason, isHung } = child;
  const left = deadline - now < farMs ? deadline - now : undefined;
  parts.push(number, numberOf(state), generation, numberOf(recycleReason), Number(isHung), numberOf(left));
}

function leavingKey(child: Child, number: number, now: number): string {
  const { state, generation, isAccepting, deadline, questionAt, reason, readyAt, hasServed, isHung, isHurried } = child;
  // The exit of one that was told to leave has no consequence.
  const isFailure = reason === 'crashed' || reason === 'boot_failed' || reason === 'hung' || reason === 'killed';
  const youth = readyAt === undefined ? 'unready' : hasServed ? '' : Math.max(0, readyAt + infancyMs - now);
  return String.fromCharCode(
    number,
    numberOf(state),
    isAccepting ? generation : 0,
    numberOf(Math.min(deadline - now, farMs)),
    numberOf(Math.min(questionAt - now, farMs)),
    Number(isHung),
    Number(isHurried),
    numberOf(isFailure ? reason : undefined),
    isFailure ? generation : 0,
    isFailure ? numberOf(youth) : 0,
  );
}
