/** One turn of the master's loop in a world, and what must hold then. */

import { overstayMs } from '../../../src/master/notes.ts';
import type { Action } from '../../../src/master/plan.ts';
import { type Child, childrenOf, type Pool } from '../../../src/master/pool.ts';
import { type Draft, hold, isGood, mostWorkers, nextDue, policy, type Rules, type World } from './world.ts';

export function turn(draft: Draft, rules: Rules): void {
  if (draft.now >= draft.pool.drainUntil) rules.notes.noteStopping(draft.pool, 'graceful', draft.now);
  for (let rounds = 0; ; rounds++) {
    hold(rounds < 20, 'the loop does not come to rest');
    const actions = rules.plan.plan(draft.pool, draft.now);
    carryOut(draft, actions, rules);
    if (draft.isOver || actions.length === 0 || actions.some(({ type }) => type === 'kill')) break;
  }
  if (draft.isOver) return;
  for (const child of draft.pool.children.values()) {
    if (child.state === 'killed') continue;
    hold(child.deadline < Number.POSITIVE_INFINITY, 'a child has no deadline');
    hold(child.deadline > draft.now, 'a child is past its deadline, and lives');
  }
  const { pool } = draft;
  hold(pool.least === draft.wanted, 'the number of workers is not the one that was asked for last');
  hold(pool.wantedBefore?.least === draft.wantedBefore, 'the number to go back to is not the one that was asked for');
  const isMore = draft.hasLoad && pool.least > 0 && pool.target > pool.least;
  hold(pool.target === pool.least || isMore, 'there are fewer workers than were asked for, or more without a load');
}

function carryOut(draft: Draft, actions: readonly Action[], rules: Rules): void {
  const { pool } = draft;
  const readyBefore = count(pool, 'ready');
  const highest = pool.children.size + pool.backoffs.size + actions.length;
  for (const action of actions) {
    if (action.type === 'spawn') hold(action.worker <= highest, 'a free number was passed over');
    act(draft, action, rules);
  }
  const ready = count(pool, 'ready');
  const has = (type: Action['type']) => actions.some((action) => action.type === type);
  if (pool.stopping !== undefined) return hold(!has('spawn'), 'one was spawned after the stop');
  hold(!has('retire') || ready >= Math.min(readyBefore, pool.target), 'one was retired before another served for it');
  const present = ready + count(pool, 'booting');
  const most = pool.target + rules.plan.surgeOf(pool.target);
  hold(!has('spawn') || present <= most, 'more were spawned than there is room for');
}

/** A blocked worker is asked what it does, and has time to answer. */
const longestStopMs = policy.graceMs + overstayMs;

/** Once the loop sleeps. It depends on nothing but the state. */
export function checkRest(world: World, { plan }: Rules): void {
  const { pool, now, failed } = world;
  hold(plan.nextDeadline(pool, now) <= nextDue(world), 'the loop sleeps for too long');
  // What is left to do then is planned when those are gone that were killed.
  const isAwaited = childrenOf(pool).some(({ state }) => state === 'killed');
  hold(isAwaited || plan.plan(pool, now).length === 0, 'something is left to do, and nothing will wake the loop');
  const numbers = childrenOf(pool).map(({ worker }) => worker);
  hold(new Set(numbers).size === numbers.length, 'two workers have the same number');
  hold(!isGood(world) || Math.max(0, ...numbers) === pool.target, 'the numbers at rest are not 1 to N');
  if (isAwaited) return;
  if (pool.stopping !== undefined) {
    for (const { deadline } of pool.children.values())
      hold(deadline - now <= longestStopMs, 'a stop waits longer than its grace');
    return;
  }
  const vacancies = plan.vacanciesOf(pool, now);
  const isLeft = (number: number) =>
    number <= pool.target && !numbers.includes(number) && !vacancies.some(({ worker }) => worker === number);
  const isToMove = ({ worker, state, generation, recycleReason }: Child) =>
    worker > pool.target && state === 'ready' && generation === pool.generation && recycleReason === undefined;
  hold(
    !Array.from({ length: mostWorkers }, (_, index) => index + 1).some(isLeft) || !childrenOf(pool).some(isToMove),
    'a worker has not taken over the number of one that has left',
  );
  for (const { worker, waitMs } of vacancies) {
    hold(waitMs > 0, 'a worker is missing, and none is spawned');
    hold(failed.has(worker), 'a number waits whose last worker had served');
    const isShort = count(pool, 'ready') * 2 < pool.target;
    hold(!isShort || !world.wasLastBootGood, 'a pause while fewer than half serve, after a good boot');
  }
}

function act(draft: Draft, action: Action, { notes }: Rules): void {
  const { pool, now } = draft;
  if (action.type === 'spawn') {
    const isTaken = childrenOf(pool).some(({ worker }) => worker === action.worker);
    hold(!isTaken, 'a number was given to two workers');
    notes.addChild(pool, action.worker, now);
  } else if (action.type === 'renumber') {
    const isFailed = draft.failed.delete(action.child.worker);
    if (isFailed) draft.failed.add(action.worker);
    else draft.failed.delete(action.worker);
    notes.noteRenumbered(pool, action.child, action.worker);
  } else if (action.type === 'finish_reload') {
    const isOld = (child: Child) => child.generation !== pool.generation && child.isAccepting;
    hold(!childrenOf(pool).some(isOld), 'a reload is called finished while an old worker accepts');
    notes.noteReloaded(pool);
    draft.wantedBefore = undefined;
  } else if (action.type === 'stop') {
    hold(pool.children.size === 0, 'the master ends ahead of its children');
    draft.isOver = true;
  } else if (action.type === 'retire') {
    hold(action.child.state === 'ready', 'one is asked to leave that cannot');
    notes.noteRetiring(action.child, action.reason, action.graceMs, now);
  } else if (action.type === 'hurry') notes.noteHurried(action.child, now);
  else if (action.type === 'question') notes.noteQuestioned(action.child);
  else notes.noteKilled(action.child, action.reason);
}

function count(pool: Pool, state: Child['state']): number {
  let count = 0;
  for (const child of pool.children.values()) if (child.state === state) count++;
  return count;
}
