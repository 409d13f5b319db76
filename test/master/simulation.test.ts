/**
 * The policy, driven by a random world with a virtual clock: workers boot slowly, crash, hang, are killed; signals come at
 * any moment. Whatever happens, some things must hold.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, plan, surgeOf } from '../../src/master/plan.ts';
import {
  addChild,
  type Child,
  childrenOf,
  createPool,
  noteBeat,
  noteDraining,
  noteExit,
  noteKilled,
  noteReady,
  noteReload,
  noteRetiring,
  noteScale,
  type Pool,
} from '../../src/master/pool.ts';

const policy = { bootMs: 10_000, timeoutMs: 5_000, graceMs: 8_000 };

type Step =
  | { type: 'pass'; ms: number }
  | { type: 'ready' | 'boot_failure' | 'crash' | 'kill_from_outside' | 'hang' | 'leave' | 'drained'; index: number }
  | { type: 'reload'; target: number }
  | { type: 'scale'; difference: 1 | -1 };

const index = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(3000) }) },
  { weight: 12, arbitrary: fc.record({ type: fc.constant('ready' as const), index }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('drained' as const), index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'boot_failure' as const,
        'crash' as const,
        'kill_from_outside' as const,
        'hang' as const,
        'leave' as const,
      ),
      index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reload' as const), target: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('scale' as const), difference: fc.constantFrom(1 as const, -1 as const) }),
  },
);

class World {
  readonly pool: Pool;
  now = 0;
  steps = 0;
  private readonly hung = new Set<Child>();
  private highestTarget: number;

  constructor(target: number) {
    this.pool = createPool(policy, target, () => 0.5);
    this.highestTarget = target;
    // From here on no boot failure ends the master.
    this.pool.hasServed = true;
    this.look();
  }

  take(step: Step): void {
    this.steps++;
    const { pool, now } = this;
    if (step.type === 'pass') this.pass(step.ms);
    else if (step.type === 'reload') noteReload(pool, policy, this.aim(step.target));
    else if (step.type === 'scale') this.scale(step.difference);
    else if (step.type === 'ready') this.pick(step.index, 'booting', (child) => noteReady(pool, child, now));
    else if (step.type === 'boot_failure')
      this.pick(step.index, 'booting', (child) => noteExit(pool, child, null, now));
    else if (step.type === 'crash') this.pick(step.index, 'ready', (child) => noteExit(pool, child, 'SIGSEGV', now));
    else if (step.type === 'kill_from_outside')
      this.pick(step.index, 'ready', (child) => noteExit(pool, child, 'SIGKILL', now));
    else if (step.type === 'hang') this.pick(step.index, 'ready', (child) => this.hung.add(child));
    else if (step.type === 'leave')
      this.pick(step.index, 'ready', (child) => noteRetiring(child, 'crashed', now + policy.graceMs));
    else if (step.type === 'drained') this.pick(step.index, 'retiring', (child) => noteExit(pool, child, null, now));
    this.look();
  }

  /** Nothing more happens but time, and workers that do their part. */
  calmDown(): void {
    this.hung.clear();
    for (let round = 0; round < 400; round++) {
      for (const child of childrenOf(this.pool)) {
        if (child.state === 'booting') noteReady(this.pool, child, this.now);
        else if (child.state === 'retiring') noteExit(this.pool, child, null, this.now);
      }
      this.pass(500);
      this.look();
    }
  }

  private scale(difference: 1 | -1): void {
    noteScale(this.pool, difference);
    this.aim(this.pool.target);
    this.aim(this.pool.wantedBefore?.target ?? 1);
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
        if (child.state === 'ready' && !this.hung.has(child)) noteBeat(this.pool, child, 0, this.now);
      this.look();
    }
  }

  private look(): void {
    const readyBefore = this.count('ready');
    const actions = plan(this.pool, this.now);
    for (const action of actions) this.act(action);
    this.check(actions, readyBefore);
  }

  private act(action: Action): void {
    const { pool, now } = this;
    if (action.type === 'spawn') addChild(pool, now);
    else if (action.type === 'retire') {
      noteRetiring(action.child, action.reason, now + policy.graceMs);
      noteDraining(action.child);
    } else if (action.type === 'kill') {
      noteKilled(action.child, action.reason);
      noteExit(pool, action.child, 'SIGKILL', now);
    } else if (action.type === 'finish_reload') pool.reloadFrom = undefined;
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
        expect(new Set(childrenOf(pool).map(({ generation }) => generation))).toEqual(new Set([pool.generation]));
      }),
      { numRuns: 400 },
    );
    expect(steps).toBeGreaterThan(100_000);
  });
});
