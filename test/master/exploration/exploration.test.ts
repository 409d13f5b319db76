/** The policy in every order of events: what is promised holds in all states, and each planted fault is found. */

import { describe, expect, it } from 'vitest';
import type { Action } from '../../../src/master/plan.ts';
import { type Child, childrenOf, type Pool, readyOf } from '../../../src/master/pool.ts';
import { explore, realRules } from './explore.ts';
import type { Budget, Rules } from './world.ts';

const nothing: Budget = {
  failures: 0,
  reloads: 0,
  recyclings: 0,
  scalings: 0,
  stops: 0,
  delays: 0,
  snapshots: 0,
  loads: 0,
  trials: 0,
};

/** Up to three workers, three generations, and what of each kind may happen. */
const explorations: readonly [targets: readonly number[], budget: Partial<Budget>][] = [
  [[1, 2, 3], { failures: 2 }],
  [[2], { failures: 3 }],
  [[1, 2, 3], { reloads: 2 }],
  [[1], { failures: 1, reloads: 2 }],
  [[1], { failures: 2, reloads: 1 }],
  [[1, 2, 3], { failures: 1, recyclings: 1, scalings: 1 }],
  [[1, 2], { failures: 1, reloads: 1, stops: 2 }],
  [[1, 2], { reloads: 1, recyclings: 1, scalings: 1, stops: 2 }],
  [[1], { failures: 1, reloads: 1, scalings: 1 }],
  [[1, 2], { recyclings: 1, snapshots: 1, stops: 2 }],
  [[1, 2], { reloads: 1, snapshots: 1, stops: 1 }],
  [[1], { failures: 1, loads: 1, reloads: 1 }],
  [[1], { loads: 2, reloads: 1 }],
  [[1, 2], { loads: 2, scalings: 2, stops: 1 }],
  [[1, 2, 3], { delays: 1, failures: 1, stops: 2 }],
  [[1, 2], { delays: 1, reloads: 1, scalings: 1, stops: 1 }],
  [[1, 2, 3], { trials: 1 }],
  [[1, 2], { trials: 1, failures: 1 }],
  [[1], { trials: 1, reloads: 1 }],
  [[1], { trials: 1, scalings: 1 }],
  [[1], { trials: 1, recyclings: 1, stops: 1 }],
];

/** 374,000 states, and half a minute more: with `EXPLORATION=deep`. */
const deep: typeof explorations = [[[2], { failures: 1, reloads: 2 }]];

describe('all orders of events', () => {
  it('keep every promise, and lead to what is wanted', { timeout: 600_000 }, async ({ annotate }) => {
    let states = 0;
    let transitions = 0;
    const isDeep = process.env.EXPLORATION === 'deep';
    for (const [targets, budget] of isDeep ? [...explorations, ...deep] : explorations)
      for (const target of targets) {
        const found = explore(target, { ...nothing, ...budget });
        expect(found.violation).toBeUndefined();
        states += found.states;
        transitions += found.transitions;
      }
    await annotate(`${states} states, ${transitions} transitions`);
    expect(states).toBeGreaterThan(100_000);
  });
});

// Faults.

const { notes, plan } = realRules;

/** A plan that is almost right. */
function planning(change: (actions: Action[], pool: Pool, now: number) => Action[]): Rules {
  return { ...realRules, plan: { ...plan, plan: (pool, now) => change(plan.plan(pool, now), pool, now) } };
}

/** A plan that sees the records otherwise than they are. */
function seeing(change: (pool: Pool) => Partial<Pool>): Rules {
  const seen = (pool: Pool): Pool => ({ ...pool, ...change(pool) });
  return {
    ...realRules,
    plan: {
      ...plan,
      plan: (pool, now) => plan.plan(seen(pool), now),
      vacanciesOf: (pool, now) => plan.vacanciesOf(seen(pool), now),
    },
  };
}

const without = (isWrong: (action: Action) => boolean) =>
  planning((actions) => actions.filter((each) => !isWrong(each)));
const isOld = (pool: Pool) => (child: Child) => child.generation !== pool.generation;
const retire = (child: Child): Action => ({ type: 'retire', child, reason: 'reload', graceMs: 1000, idleGraceMs: 500 });
const isKill = (action: Action, reason: string) => action.type === 'kill' && action.reason === reason;

const faults: readonly [what: string, rules: Rules, found: RegExp, budget: Partial<Budget>][] = [
  [
    'an old worker is retired when its successor is spawned, not when that is ready',
    planning((actions, pool) => {
      const isBooting = childrenOf(pool).some(({ state }) => state === 'booting');
      const old = readyOf(pool).filter(isOld(pool));
      return isBooting && actions.length === 0 && old.length > 0 ? [retire(old[0]!)] : actions;
    }),
    /one was retired before another served for it/,
    { reloads: 1 },
  ],
  [
    'a boot that hangs is not ended',
    without((action) => isKill(action, 'boot_failed')),
    /past its deadline, and lives/,
    { failures: 1 },
  ],
  [
    'a child is entered without a deadline',
    {
      ...realRules,
      notes: {
        ...notes,
        addChild: (pool, worker, now) =>
          Object.assign(notes.addChild(pool, worker, now), { deadline: Number.POSITIVE_INFINITY }),
      },
    },
    /has no deadline/,
    {},
  ],
  [
    'a worker that had served waits like one that did not boot',
    {
      ...realRules,
      notes: {
        ...notes,
        noteExit: (pool, child, exit, now) => {
          const young = child.readyAt === undefined ? child : { ...child, hasServed: false, readyAt: now };
          return notes.noteExit(pool, young, exit, now);
        },
      },
    },
    /waits whose last worker had served/,
    { failures: 2 },
  ],
  [
    'one number that waits holds up the others',
    planning((actions, pool, now) => {
      const isWaiting = [...pool.backoffs.values()].some(({ resumeAt }) => resumeAt > now);
      return isWaiting ? actions.filter(({ type }) => type !== 'spawn') : actions;
    }),
    /missing, and none is spawned|something is left to do/,
    { failures: 3 },
  ],
  [
    'a pause empties the pool: it holds though the last boot was good',
    seeing(() => ({ wasLastBootGood: false })),
    /a pause while fewer than half serve, after a good boot/,
    { failures: 3 },
  ],
  [
    'a reload is called finished as soon as the new workers are ready',
    planning((actions, pool) => {
      const fresh = readyOf(pool).filter((child) => !isOld(pool)(child));
      const isEarly = pool.reloadFrom !== undefined && fresh.length === pool.target && actions.length === 0;
      return isEarly ? [{ type: 'finish_reload' }] : actions;
    }),
    /called finished while an old worker accepts/,
    { reloads: 1 },
  ],
  [
    'a reload whose worker does not boot is not given up',
    {
      ...realRules,
      notes: {
        ...notes,
        noteExit: (pool, child, exit, now) => {
          const hidden = { ...pool, reloadFrom: undefined };
          const ending = notes.noteExit(hidden, child, exit, now);
          Object.assign(pool, { ...hidden, reloadFrom: pool.reloadFrom });
          return ending;
        },
      },
    },
    /a reload is not given up/,
    { failures: 1, reloads: 1 },
  ],
  [
    'a reload spawns a whole new generation at once',
    planning((actions, pool) => {
      const isDone = pool.reloadFrom === undefined || !actions.some(({ type }) => type === 'spawn');
      return isDone ? actions : [...actions, { type: 'spawn', worker: pool.children.size + 2 }];
    }),
    /more were spawned than there is room for/,
    { reloads: 1 },
  ],
  [
    'a number is given to a new worker while the old one still finishes',
    planning((actions) => actions.map((each) => (each.type === 'spawn' ? { ...each, worker: 1 } : each))),
    /a number was given to two workers/,
    { reloads: 1 },
  ],
  [
    'a worker keeps its number when the one before it has left',
    without(({ type }) => type === 'renumber'),
    /not taken over the number/,
    { reloads: 1 },
  ],
  [
    'a worker takes over a number while the old one still finishes',
    planning((actions, pool) => {
      const above = readyOf(pool).find((child) => !isOld(pool)(child) && child.worker > pool.target);
      const isFree = actions.length > 0 || above === undefined;
      return isFree ? actions : [{ type: 'renumber', child: above, worker: 1 }];
    }),
    /two workers have the same number/,
    { reloads: 1 },
  ],
  [
    'a worker that does not finish in time is left alone',
    without((action) => isKill(action, 'killed')),
    /past its deadline, and lives/,
    { stops: 1 },
  ],
  [
    'a silent worker whose watchdog is silent too is left alone',
    without((action) => isKill(action, 'hung')),
    /past its deadline, and lives/,
    { failures: 1 },
  ],
  [
    'the loop sleeps beyond the end of a pause',
    {
      ...realRules,
      plan: { ...plan, nextDeadline: (pool, now) => plan.nextDeadline({ ...pool, backoffs: new Map() }, now) },
    },
    /the loop sleeps for too long/,
    { failures: 2 },
  ],
  [
    'a worker that dies during a stop is replaced',
    planning((actions, pool, now) => [
      ...actions,
      ...(pool.stopping === undefined ? [] : plan.plan({ ...pool, stopping: undefined }, now)).filter(
        ({ type }) => type === 'spawn',
      ),
    ]),
    /spawned after the stop/,
    { stops: 1 },
  ],
  [
    'the master ends when its children are told to',
    planning((actions, pool) =>
      pool.stopping !== undefined && readyOf(pool).length === 0 ? [{ type: 'stop' }] : actions,
    ),
    /the master ends ahead of its children/,
    { stops: 1 },
  ],
  [
    'a worker that boots for a generation that is outdated by then stays',
    without((action) => isKill(action, 'reload')),
    /more were spawned than there is room for/,
    { failures: 1, reloads: 1 },
  ],
  [
    'the surplus after TTOU stays',
    without((action) => action.type === 'retire' && action.reason === 'scaled_down'),
    /nothing that happens by itself leads to what is wanted/,
    { scalings: 1 },
  ],
  [
    'workers leave while the drain delay runs',
    seeing(({ drainUntil, stopping }) => ({ stopping: drainUntil < Number.POSITIVE_INFINITY ? 'graceful' : stopping })),
    /one was retired before another served for it/,
    { delays: 1 },
  ],
  [
    'the loop sleeps beyond the end of the drain delay',
    {
      ...realRules,
      plan: {
        ...plan,
        nextDeadline: (pool, now) => plan.nextDeadline({ ...pool, drainUntil: Number.POSITIVE_INFINITY }, now),
      },
    },
    /the loop sleeps for too long/,
    { delays: 1 },
  ],
  [
    'a stop waits for the end of a heap snapshot',
    {
      ...realRules,
      notes: {
        ...notes,
        noteExtended: (pool, child, deadline) => notes.noteExtended({ ...pool, stopping: undefined }, child, deadline),
      },
    },
    /a stop waits longer than its grace/,
    { recyclings: 1, snapshots: 1, stops: 1 },
  ],
  [
    'a worker count asked for during a reload is lost when the reload fails',
    {
      ...realRules,
      notes: {
        ...notes,
        noteScaled: (pool, scaling) => {
          const { wantedBefore } = pool;
          notes.noteScaled(pool, scaling);
          Object.assign(pool, { wantedBefore });
        },
      },
    },
    /the number to go back to is not the one that was asked for/,
    { reloads: 1, scalings: 1 },
  ],
  [
    'a load that is small leaves fewer workers than were asked for',
    {
      ...realRules,
      notes: {
        ...notes,
        noteNeeded: (pool, workers) => Object.assign(pool, { target: workers - 1 }),
      },
    },
    /there are fewer workers than were asked for/,
    { loads: 2 },
  ],
  [
    'a worker count asked for while the configuration is read is lost',
    {
      ...realRules,
      notes: { ...notes, noteReload: (pool, policy, target) => notes.noteReload(pool, policy, target) },
    },
    /the number of workers is not the one that was asked for last/,
    { reloads: 1, scalings: 1 },
  ],
];

describe('a planted fault is found', () => {
  it.each(faults)('%s', { timeout: 120_000 }, (_, rules, found, budget) => {
    const violations = [1, 2].map((target) => explore(target, { ...nothing, ...budget }, rules).violation?.what);
    expect(violations.join()).toMatch(found);
  });
});
