/** What can happen in a world, and what it knows by itself of each thing. */

import { infancyMs } from '../../../src/master/backoff.ts';
import { type Child, childrenOf } from '../../../src/master/pool.ts';
import {
  type Budget,
  type Draft,
  farMs,
  hold,
  isSilent,
  mostWorkers,
  nextDue,
  policy,
  type Rules,
  type World,
} from './world.ts';

export interface Event {
  readonly name: string;
  /** It happens by itself, sooner or later. */
  readonly isSure: boolean;
  happen(world: Draft, rules: Rules): void;
}

export function eventsOf(world: World, { notes }: Rules): Event[] {
  const { pool, budget } = world;
  const events: Event[] = [];
  const sure = (name: string, happen: Event['happen']) => events.push({ name, isSure: true, happen });
  const paid = (what: keyof Budget, name: string, happen: Event['happen']) => {
    if (budget[what] === 0) return;
    const spend = (draft: Draft, rules: Rules) => {
      draft.budget = { ...draft.budget, [what]: draft.budget[what] - 1 };
      happen(draft, rules);
    };
    events.push({ name, isSure: false, happen: spend });
  };
  for (const child of pool.children.values())
    for (const { what, name, happen } of happeningsOf(child)) {
      const text = `worker ${child.worker} of generation ${child.generation} ${name}`;
      const toChild: Event['happen'] = (draft, rules) => happen(draft, draft.pool.children.get(child.worker)!, rules);
      if (what === undefined) sure(text, toChild);
      else paid(what, text, toChild);
    }
  if (pool.stopping === undefined) {
    paid('reloads', 'HUP', (draft) => {
      notes.noteReload(draft.pool, policy, draft.pool.target);
      draft.failed.clear();
    });
    if (pool.target < mostWorkers) paid('scalings', 'TTIN', (draft) => notes.noteScaled(draft.pool, 'more'));
    if (pool.target > 1) paid('scalings', 'TTOU', (draft) => notes.noteScaled(draft.pool, 'fewer'));
    if (pool.target > 0) paid('scalings', 'WINCH', (draft) => notes.noteScaled(draft.pool, 'dismiss'));
    paid('stops', 'TERM', (draft) => notes.noteStopping(draft.pool, 'graceful', draft.now));
    paid('stops', 'INT', (draft) => notes.noteStopping(draft.pool, 'quick', draft.now));
  } else paid('stops', 'TERM again', (draft) => notes.noteStopping(draft.pool, 'immediate', draft.now));
  const due = nextDue(world);
  // A process that was killed is gone before anything else is due.
  const isAwaited = childrenOf(pool).some(({ state }) => state === 'killed');
  if (due - world.now < farMs && !isAwaited)
    sure(`${due - world.now} ms pass`, (draft, rules) => pass(draft, due, undefined, rules));
  return events;
}

interface Happening {
  /** What it is paid from; undefined for what happens by itself. */
  readonly what?: keyof Budget;
  readonly name: string;
  happen(draft: Draft, child: Child, rules: Rules): void;
}

/** To the children in each state. */
function happeningsOf(child: Child): readonly Happening[] {
  if (child.state === 'booting') return toBooting;
  if (child.state === 'killed') return toKilled;
  if (isSilent(child)) return toSilent;
  if (child.state === 'ready') return child.recycleReason === undefined ? toReady : toWorn;
  return child.isAccepting ? toAccepting : toDraining;
}

const exits =
  (signal: NodeJS.Signals | null): Happening['happen'] =>
  (draft, child, rules) =>
    end(draft, child, signal, rules);

/** It has just become ready, or has had requests: what lies between makes no difference. */
function inItsYouth(happen: Happening['happen']): Happening['happen'] {
  return (draft, child, rules) => {
    (child as { readyAt: number }).readyAt = draft.now;
    happen(draft, child, rules);
  };
}
function afterService(happen: Happening['happen']): Happening['happen'] {
  return (draft, child, rules) => {
    rules.notes.noteServing(child);
    happen(draft, child, rules);
  };
}
const hangs: Happening['happen'] = (draft, child, { notes }) => notes.noteHung(child, draft.now);
const leaves: Happening['happen'] = (draft, child, { notes }) =>
  notes.noteRetiring(child, 'crashed', policy.graceMs, draft.now);
const isHung: Happening = { what: 'failures', name: 'is found hung', happen: afterService(hangs) };

const toBooting: readonly Happening[] = [
  {
    name: 'is ready',
    happen: (draft, child, { notes }) => {
      notes.noteReady(draft.pool, child, draft.now);
      draft.wasLastBootGood = true;
    },
  },
  { what: 'failures', name: 'does not boot', happen: exits(null) },
  {
    what: 'failures',
    name: 'takes too long to boot',
    happen: (draft, child, rules) => pass(draft, child.deadline, undefined, rules),
  },
];
const toWorn: readonly Happening[] = [
  { what: 'failures', name: 'crashes after service', happen: afterService(exits('SIGSEGV')) },
  { what: 'failures', name: 'crashes in its youth', happen: inItsYouth(exits('SIGSEGV')) },
  { what: 'failures', name: 'is found hung in its youth', happen: inItsYouth(hangs) },
  { what: 'failures', name: 'leaves by itself', happen: afterService(leaves) },
  { what: 'failures', name: 'leaves by itself in its youth', happen: inItsYouth(leaves) },
  {
    what: 'failures',
    name: 'beats no more',
    happen: (draft, child, rules) => pass(draft, child.questionAt, child, rules),
  },
  isHung,
];
const toReady: readonly Happening[] = [
  ...toWorn,
  {
    what: 'recyclings',
    name: 'has served enough',
    happen: (draft, child, { notes }) =>
      notes.noteBeat(draft.pool, child, { requests: 1, running: 0, memoryBytes: 0 }, draft.now),
  },
];
const toSilent: readonly Happening[] = [
  {
    name: 'beats again',
    happen: (draft, child, { notes }) => notes.noteBeat(draft.pool, child, child.beat, draft.now),
  },
  {
    name: 'is silent, says its watchdog',
    happen: (draft, child, { notes }) => notes.noteReported(child, policy.timeoutMs, draft.now),
  },
];
const toAccepting: readonly Happening[] = [
  { name: 'has closed its listeners', happen: (_, child, { notes }) => notes.noteDraining(child) },
  isHung,
];
const toDraining: readonly Happening[] = [{ name: 'is done', happen: exits(null) }, isHung];
const toKilled: readonly Happening[] = [{ name: 'is gone', happen: exits('SIGKILL') }];

/** Those that are ready beat, but for one. */
function pass(draft: Draft, until: number, mute: Child | undefined, { notes }: Rules): void {
  const { pool } = draft;
  draft.now = until;
  for (const child of childrenOf(pool))
    if (child.state === 'ready' && child !== mute && !isSilent(child)) notes.noteBeat(pool, child, child.beat, until);
}

function end(draft: Draft, child: Child, signal: NodeJS.Signals | null, { notes }: Rules): void {
  const { pool, now } = draft;
  const { worker, readyAt, hasServed, generation } = child;
  const wasServing = pool.hasServed && pool.stopping === undefined;
  const isWanted = generation === pool.generation;
  const isReloading = pool.reloadFrom !== undefined;
  const exit = { code: null, signal, hasBootError: false, isMemoryKill: false };
  const { reason, consequence } = notes.noteExit(pool, child, exit, now);
  draft.failed.delete(worker);
  hold(!wasServing || pool.stopping === undefined, 'a crash ended a service that had been up');
  const isShort = readyAt === undefined || (now - readyAt < infancyMs && !hasServed);
  const hasFailed = isShort && ['boot_failed', 'crashed', 'hung', 'killed'].includes(reason);
  if (!hasFailed || !isWanted || !wasServing) return;
  if (isReloading && reason === 'boot_failed')
    hold(consequence.type === 'reload_failed' && pool.generation < generation, 'a reload is not given up');
  if (consequence.type === 'reload_failed') draft.failed.clear();
  else {
    draft.failed.add(worker);
    draft.wasLastBootGood = false;
  }
}
