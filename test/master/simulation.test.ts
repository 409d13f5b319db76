/**
 * The policy, driven by a random world with a virtual clock: workers boot slowly, crash, hang, are killed; signals come at
 * any moment. Whatever happens, some things must hold.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { infancyMs } from '../../src/master/backoff.ts';
import { noteExit, noteRejected } from '../../src/master/endings.ts';
import {
  addChild,
  noteBeat,
  noteDraining,
  noteHurried,
  noteKilled,
  noteNeeded,
  noteQuestioned,
  noteReady,
  noteReload,
  noteReloaded,
  noteRenumbered,
  noteRetiring,
  noteScaled,
  noteServing,
  noteTrialPassed,
} from '../../src/master/notes.ts';
import { type Action, plan, surgeOf, vacanciesOf } from '../../src/master/plan.ts';
import { type Child, childrenOf, createPool, type Pool } from '../../src/master/pool.ts';

const policy = {
  bootMs: 10_000,
  timeoutMs: 5_000,
  graceMs: 8_000,
  maxRequests: 1000,
  requestsJitter: 0,
  maxLifetimeMs: 40_000,
  maxMemoryBytes: 1000,
  isDevelopment: false,
  showsErrors: false,
};
/** With its jitter, 1.25 times the longest. */
const longestPauseMs = 37_500;

type Step =
  | { type: 'pass'; ms: number }
  | {
      type:
        | 'ready'
        | 'serve'
        | 'boot_failure'
        | 'crash'
        | 'kill_from_outside'
        | 'hang'
        | 'leave'
        | 'drained'
        | 'wear'
        | 'grow';
      index: number;
    }
  | { type: 'reload'; target: number; canaries: number }
  | { type: 'judged'; isGood: boolean }
  | { type: 'scale'; command: 'more' | 'fewer' | 'dismiss' }
  | { type: 'load'; needed: number };

const index = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(3000) }) },
  { weight: 12, arbitrary: fc.record({ type: fc.constant('ready' as const), index }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('drained' as const), index }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('serve' as const), index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'boot_failure' as const,
        'crash' as const,
        'kill_from_outside' as const,
        'hang' as const,
        'leave' as const,
        'wear' as const,
        'grow' as const,
      ),
      index,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('reload' as const),
      target: fc.integer({ min: 1, max: 8 }),
      canaries: fc.integer({ min: 0, max: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('judged' as const), isGood: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('scale' as const),
      command: fc.constantFrom('more' as const, 'more' as const, 'fewer' as const, 'dismiss' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('load' as const), needed: fc.integer({ min: 1, max: 8 }) }) },
);

class World {
  readonly pool: Pool;
  now = 0;
  steps = 0;
  private readonly hung = new Set<Child>();
  private highestTarget: number;
  /** What this world knows by itself: whose last worker did not come up, or not for long. */
  private readonly failed = new Set<number>();
  private wasLastBootGood = true;

  constructor(target: number) {
    this.pool = createPool(policy, target, () => 0.5);
    this.highestTarget = target;
    // From here on no boot failure ends the master.
    const first = addChild(this.pool, 1, 0);
    noteReady(this.pool, first, 0);
    this.look();
  }

  take(step: Step): void {
    this.steps++;
    const { pool, now } = this;
    if (step.type === 'pass') this.pass(step.ms);
    else if (step.type === 'reload') this.reload(step.target, step.canaries);
    else if (step.type === 'judged') this.judge(step.isGood);
    else if (step.type === 'scale') this.scale(step.command);
    else if (step.type === 'load') this.need(step.needed);
    else if (step.type === 'ready') this.pick(step.index, 'booting', (child) => this.welcome(child));
    else if (step.type === 'serve') this.pick(step.index, 'ready', (child) => noteServing(child));
    else if (step.type === 'boot_failure') this.pick(step.index, 'booting', (child) => this.end(child, null));
    else if (step.type === 'crash') this.pick(step.index, 'ready', (child) => this.end(child, 'SIGSEGV'));
    else if (step.type === 'kill_from_outside') this.pick(step.index, 'ready', (child) => this.end(child, 'SIGKILL'));
    else if (step.type === 'hang') this.pick(step.index, 'ready', (child) => this.hung.add(child));
    else if (step.type === 'leave')
      this.pick(step.index, 'ready', (child) => noteRetiring(child, 'crashed', policy.graceMs, now));
    else if (step.type === 'wear') this.pick(step.index, 'ready', (child) => this.beat(child, 1000, 0));
    else if (step.type === 'grow') this.pick(step.index, 'ready', (child) => this.beat(child, 1, 1001));
    else if (step.type === 'drained') this.pick(step.index, 'retiring', (child) => this.end(child, null));
    hold(pool.stopping === undefined, 'the service stopped by itself');
    this.look();
  }

  /** Nothing more happens but time, and workers that do their part. */
  calmDown(): void {
    this.hung.clear();
    if (this.pool.canaries > 0) noteTrialPassed(this.pool);
    for (let round = 0; round < 400; round++) {
      this.doTheirPart();
      this.pass(500);
      this.look();
    }
    while (childrenOf(this.pool).some(({ state }) => state !== 'ready')) this.doTheirPart();
  }

  private doTheirPart(): void {
    for (const child of childrenOf(this.pool)) {
      if (child.state === 'booting') this.welcome(child);
      else if (child.state === 'retiring') this.end(child, null);
    }
    this.look();
  }

  private welcome(child: Child): void {
    noteReady(this.pool, child, this.now);
    this.wasLastBootGood = true;
  }

  private beat(child: Child, requests: number, memoryBytes: number): void {
    noteBeat(this.pool, child, { requests, running: 0, memoryBytes }, this.now);
  }

  private reload(target: number, canaries: number): void {
    noteReload(this.pool, policy, target, [], canaries);
    this.aim(this.pool.target);
    this.failed.clear();
  }

  private end(child: Child, signal: NodeJS.Signals | null): void {
    const { pool, now } = this;
    const isWanted = child.generation === pool.generation;
    const { readyAt, hasServed } = child;
    const { reason, consequence } = noteExit(
      pool,
      child,
      { code: signal === null ? 1 : null, signal, hasBootError: false, isMemoryKill: false },
      now,
    );
    const wasYoung = readyAt === undefined || now - readyAt < infancyMs;
    const hasFailed = ['boot_failed', 'crashed', 'hung', 'killed'].includes(reason) && wasYoung && !hasServed;
    this.failed.delete(child.worker);
    if (consequence.type === 'reload_failed') this.failed.clear();
    else if (isWanted && hasFailed) {
      this.failed.add(child.worker);
      this.wasLastBootGood = false;
    } else if (reason === 'max_memory' && wasYoung && !hasServed) this.failed.add(child.worker);
    else hold(consequence.type === 'none', 'a worker that had served is not replaced at once');
  }

  private scale(command: 'more' | 'fewer' | 'dismiss'): void {
    if (command === 'more' && this.pool.target >= 8) return;
    noteScaled(this.pool, command);
    this.aim(this.pool.target);
    // What a failed reload goes back to has been scaled too.
    this.aim(this.pool.wantedBefore?.target ?? 0);
  }

  private judge(isGood: boolean): void {
    if (this.pool.canaries === 0) return;
    if (isGood) return noteTrialPassed(this.pool);
    noteRejected(this.pool);
    this.failed.clear();
  }

  private need(workers: number): void {
    // Nothing runs that could be busy.
    if (this.pool.target > 0) noteNeeded(this.pool, workers);
    this.aim(this.pool.target);
    hold(this.pool.target >= this.pool.least, 'fewer are wanted than were asked for');
  }

  /** A lowered target leaves more than it asks for until the surplus has gone. */
  private aim(target: number): number {
    this.highestTarget = Math.max(this.highestTarget, target);
    return target;
  }

  private pick(index: number, state: Child['state'], act: (child: Child) => unknown): void {
    const candidates = childrenOf(this.pool).filter((child) => child.state === state && !this.hung.has(child));
    if (candidates.length > 0) act(candidates[index % candidates.length]!);
  }

  private pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 1000);
      for (const child of childrenOf(this.pool))
        if (child.state === 'ready' && !this.hung.has(child)) this.beat(child, child.beat.requests, 0);
      this.look();
    }
  }

  private look(): void {
    const readyBefore = this.count('ready');
    const actions = plan(this.pool, this.now);
    const { children, backoffs } = this.pool;
    const highest = children.size + backoffs.size + actions.length;
    const isLow = (action: Action) => action.type !== 'spawn' || action.worker <= highest;
    hold(actions.every(isLow), 'a number was passed over that is free, and has not failed');
    for (const action of actions) this.act(action);
    this.check(actions, readyBefore);
    // As the master does it: what else is to be done depends on the new numbers.
    if (actions.some(({ type }) => type === 'renumber')) this.look();
  }

  private act(action: Action): void {
    const { pool, now } = this;
    if (action.type === 'spawn') {
      hold(!this.numbers().includes(action.worker), 'a number was given to two workers');
      addChild(pool, action.worker, now);
    } else if (action.type === 'renumber') {
      const { child, worker } = action;
      hold(!this.numbers().includes(worker), 'a number was taken over from a worker that is there');
      hold(worker <= pool.target && child.worker > pool.target, 'a number was taken over in vain');
      if (this.failed.delete(child.worker)) this.failed.add(worker);
      else this.failed.delete(worker);
      noteRenumbered(pool, child, worker);
    } else if (action.type === 'retire') {
      noteRetiring(action.child, action.reason, action.graceMs, now);
      noteDraining(action.child);
    } else if (action.type === 'kill') {
      noteKilled(action.child, action.reason);
      this.end(action.child, 'SIGKILL');
    } else if (action.type === 'question') noteQuestioned(action.child);
    else if (action.type === 'hurry') noteHurried(action.child, now);
    else if (action.type === 'finish_reload') noteReloaded(pool);
  }

  private check(actions: Action[], readyBefore: number): void {
    const { pool, now } = this;
    const ready = this.count('ready');
    const present = ready + this.count('booting');
    const hasRetired = actions.some(({ type }) => type === 'retire');
    hold(
      !hasRetired || readyBefore < pool.target || ready >= pool.target,
      'a retirement left fewer ready than the target',
    );
    const hasSpawned = actions.some(({ type }) => type === 'spawn');
    hold(!hasSpawned || present <= pool.target + surgeOf(pool.target), 'a spawn went beyond the target and the surge');
    hold(present <= this.highestTarget + surgeOf(this.highestTarget), 'more children than any target and its surge');
    for (const child of childrenOf(pool)) {
      hold(Number.isFinite(child.deadline), 'a child without a deadline');
      hold(actions.length > 0 || child.deadline > now, 'a child past its deadline was left alone');
    }
    // What was planned may have ended others, whose absence is planned for next.
    if (actions.length === 0) this.checkPauses(ready);
  }

  private checkPauses(ready: number): void {
    const { pool, now } = this;
    for (const { worker, waitMs } of vacanciesOf(pool, now)) {
      hold(waitMs > 0, 'a worker is missing, and none is spawned');
      hold(this.failed.has(worker), 'a number waits whose last worker had served');
      hold(ready * 2 >= pool.target || !this.wasLastBootGood, 'a pause while fewer than half serve, after a good boot');
      hold(waitMs <= longestPauseMs, 'a pause without end');
    }
  }

  private numbers(): number[] {
    return childrenOf(this.pool).map(({ worker }) => worker);
  }

  private count(state: Child['state']): number {
    return childrenOf(this.pool).filter((child) => child.state === state).length;
  }
}

/** An invariant. Cheaper than `expect`, which would take most of the time of a hundred thousand steps. */
function hold(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}

describe('the policy in a random world', () => {
  it('holds its promises at every step, and converges when events stop', () => {
    let steps = 0;
    const world = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.array(step, { minLength: 200, maxLength: 400 }));
    fc.assert(
      fc.property(world, ([target, script]) => {
        const world = new World(target);
        for (const step of script) world.take(step);
        steps += world.steps;
        world.calmDown();
        const { pool } = world;
        expect(pool.reloadFrom).toBeUndefined();
        expect(childrenOf(pool).map(({ state }) => state)).toEqual(Array(pool.target).fill('ready'));
        const numbers = childrenOf(pool).map(({ worker }) => worker);
        expect(numbers.sort((one, other) => one - other)).toEqual(Array.from(numbers, (_, index) => index + 1));
        expect(childrenOf(pool).filter(({ generation }) => generation !== pool.generation)).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(steps).toBeGreaterThan(100_000);
  });
});
