/** What can happen in a world, and what it knows by itself of each thing. */

import { infancyMs } from '../../../src/master/backoff.ts';
import type { Scaling } from '../../../src/master/notes.ts';
import { type Child, childrenOf, readyOf } from '../../../src/master/pool.ts';
import {
  type Budget,
  type Draft,
  delayMs,
  farMs,
  hold,
  isSilent,
  mostWorkers,
  nextDue,
  policy,
  type Rules,
  snapshotMs,
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
  const paid = (what: keyof Budget | readonly (keyof Budget)[], name: string, happen: Event['happen']) => {
    if (!affords(budget, what)) return;
    const spend = (draft: Draft, rules: Rules) => {
      for (const kind of [what].flat()) draft.budget = { ...draft.budget, [kind]: draft.budget[kind] - 1 };
      happen(draft, rules);
    };
    events.push({ name, isSure: false, happen: spend });
  };
  for (const child of pool.children.values())
    for (const { what, name, happen } of happeningsOf(child)) {
      if (what !== undefined && !affords(budget, what)) continue;
      const text = `worker ${child.worker} of generation ${child.generation} ${name}`;
      const toChild: Event['happen'] = (draft, rules) => happen(draft, draft.pool.children.get(child.seat)!, rules);
      if (what === undefined) sure(text, toChild);
      else paid(what, text, toChild);
    }
  if (pool.stopping === undefined) {
    paid('reloads', 'HUP', (draft, rules) => reload(draft, [], rules));
    paid(['reloads', 'scalings'], 'HUP, and TTIN while the configuration is read', (draft, rules) => {
      scale(draft, 'more', rules);
      reload(draft, ['more'], rules);
    });
    paid('trials', 'HUP, with a trial', (draft, rules) => reload(draft, [], rules, 1));
    if (pool.canaries > 0) {
      sure('the trial is passed', (draft) => notes.noteTrialPassed(draft.pool));
      events.push({ name: 'the trial is lost', isSure: false, happen: lose });
    }
    const scaling = (name: string, what: Scaling) =>
      paid('scalings', name, (draft, rules) => scale(draft, what, rules));
    if (pool.target < mostWorkers) scaling('TTIN', 'more');
    if (pool.target > 1) scaling('TTOU', 'fewer');
    if (pool.target > 0) scaling('WINCH', 'dismiss');
    for (let workers = 1; workers <= mostWorkers; workers++)
      if (workers !== pool.target) scaling(`tsgun scale ${workers}`, workers);
    if (pool.target > 0)
      for (let workers = pool.least; workers <= mostWorkers; workers++)
        if (workers !== pool.target)
          paid('loads', `the load needs ${workers}`, (draft) => {
            notes.noteNeeded(draft.pool, workers);
            draft.hasLoad = true;
          });
    // As `stop.ts` has it: nobody sends requests to a service without workers.
    if (pool.drainUntil === Number.POSITIVE_INFINITY && readyOf(pool).length > 0)
      paid('delays', 'TERM, with a drain delay', (draft) => notes.noteDrainDelay(draft.pool, draft.now + delayMs));
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

/** Asked for each event in each state, hence without a list for a single kind. */
function affords(budget: Budget, what: keyof Budget | readonly (keyof Budget)[]): boolean {
  return typeof what === 'string' ? budget[what] > 0 : what.every((kind) => budget[kind] > 0);
}

function lose(draft: Draft, { notes }: Rules): void {
  notes.noteRejected(draft.pool);
  draft.failed.clear();
  draft.wanted = draft.wantedBefore!;
  draft.wantedBefore = undefined;
}

function reload(draft: Draft, scalings: readonly Scaling[], { notes }: Rules, canaries = 0): void {
  notes.noteReload(draft.pool, policy, draft.configured, scalings, canaries);
  draft.wantedBefore ??= draft.wanted;
  draft.wanted = scalings.reduce(scaled, draft.configured);
  draft.failed.clear();
}

function scale(draft: Draft, scaling: Scaling, { notes }: Rules): void {
  notes.noteScaled(draft.pool, scaling);
  draft.wanted = scaled(draft.wanted, scaling);
  if (draft.wantedBefore !== undefined) draft.wantedBefore = scaled(draft.wantedBefore, scaling);
}

function scaled(workers: number, scaling: Scaling): number {
  if (scaling === 'more') return workers + 1;
  if (scaling === 'fewer') return workers > 1 ? workers - 1 : workers;
  return scaling === 'dismiss' ? 0 : scaling;
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
const toDraining: readonly Happening[] = [
  { name: 'is done', happen: exits(null) },
  {
    what: 'snapshots',
    name: 'begins to write its heap',
    happen: (draft, child, { notes }) => notes.noteExtended(draft.pool, child, draft.now + snapshotMs),
  },
  isHung,
];
const toKilled: readonly Happening[] = [{ name: 'is gone', happen: exits('SIGKILL') }];

/** Those that are ready beat, but for one. A drain delay ends on time. */
function pass(draft: Draft, at: number, mute: Child | undefined, { notes }: Rules): void {
  const { pool } = draft;
  const until = Math.min(at, pool.drainUntil);
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
  if (consequence.type === 'reload_failed') {
    draft.failed.clear();
    draft.wanted = draft.wantedBefore!;
    draft.wantedBefore = undefined;
  } else {
    draft.failed.add(worker);
    draft.wasLastBootGood = false;
  }
}
