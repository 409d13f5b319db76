/** Carries out the plan's actions, and enters each in the records. */

import { setTimeout } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import type { Children } from './children/children.ts';
import { logGrowth, logRecycling } from './children/exits.ts';
import { nameOf } from './children/hangs.ts';
import type { Generation } from './generations/generation.ts';
import type { Rollout } from './generations/rollout.ts';
import type { MasterHooks } from './hooks.ts';
import * as notes from './notes.ts';
import type { Action } from './plan.ts';
import { type Child, isRecycling, type Pool } from './pool.ts';
import type { StartScreen } from './start-screen.ts';

/** How long a retirement may wait for the report of what grew: V8 first collects the garbage of a large heap. */
const growthMs = 1000;

interface Parts {
  readonly pool: Pool;
  readonly children: Children;
  readonly hooks: MasterHooks;
  readonly rollout: Rollout;
  readonly screen: StartScreen;
  /** The configuration that new workers run. */
  readonly current: () => Generation;
}

export class Executor {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  private get log(): Logger {
    return this.parts.current().log;
  }

  carryOut(action: Exclude<Action, { type: 'stop' }>, now: number): void {
    const { children, pool, rollout } = this.parts;
    if (action.type === 'spawn') return this.spawn(action.worker, now);
    if (action.type === 'finish_reload') return rollout.finish();
    const { child } = action;
    if (action.type === 'renumber') this.renumber(child, action.worker);
    else if (action.type === 'question') {
      notes.noteQuestioned(child);
      children.hangs.noteQuestioned(child, now);
      children.question(child);
    } else if (action.type === 'hurry') {
      const { graceMs } = action;
      notes.noteHurried(child, now);
      children.send(child, { type: 'quit', graceMs });
    } else if (action.type === 'retire') {
      const { reason, graceMs, idleGraceMs } = action;
      if (isRecycling(reason)) logRecycling(this.log, child, reason, pool);
      notes.noteRetiring(child, reason, graceMs, now);
      const send = () =>
        children.send(child, { type: 'retire', graceMs, idleGraceMs, isStop: pool.stopping !== undefined });
      if (reason === 'max_memory') void this.logGrowth(child).then(send);
      else send();
    } else this.kill(action, now);
  }

  private spawn(worker: number, now: number): void {
    const { pool, hooks, children, current, screen } = this.parts;
    const child = notes.addChild(pool, worker, now);
    hooks.forking(child);
    if (!children.spawn(child, current())) return;
    this.log.event('info', 'worker_spawned', nameOf(child), 'worker spawned', screen.step);
  }

  private renumber(child: Child, worker: number): void {
    const { pool, children } = this.parts;
    const before = child.worker;
    children.renumber(child, worker);
    notes.noteRenumbered(pool, child, worker);
    const message = `worker ${before} is worker ${worker} from now on: the one before it has left`;
    this.log.say('debug', { ...nameOf(child), before }, message);
  }

  /** Runs before the worker is asked to leave: an idle worker would be gone before it answers. Resolves within `growthMs`. */
  private async logGrowth(child: Child): Promise<void> {
    const { log } = this;
    const { children } = this.parts;
    const sampler = children.samplerOf(child);
    if (sampler === undefined) return;
    const asked = children.examine(sampler, { type: 'growth' }).then(
      (findings) => logGrowth(log, child, sampler, findings),
      // It has exited, or is blocked: the line before says why it is recycled.
      () => {},
    );
    await Promise.race([asked, setTimeout(growthMs, undefined, { ref: false })]);
  }

  private kill({ child, reason, isOverdue }: Extract<Action, { type: 'kill' }>, now: number): void {
    const { pool, hooks, children } = this.parts;
    const { hangs } = children;
    if (reason === 'hung' && hangs.isSuspended(child)) {
      notes.noteExcused(child, now);
      return this.log.say('warn', nameOf(child), 'worker suspended by a signal or a debugger: left alone');
    }
    if (isOverdue && hangs.isStarved(child, now)) {
      notes.noteStarved(child, now);
      return this.log.say(
        'warn',
        { ...nameOf(child), ms: notes.answerMs },
        'busy machine: the watchdog gets more time to answer',
      );
    }
    if (reason === 'hung') hooks.aborting(child, hangs.logHung(this.log, child, pool.policy.timeoutMs));
    else if (isOverdue && child.state === 'retiring') hangs.logOverstay(this.log, child);
    notes.noteKilled(child, reason);
    children.kill(child);
  }
}
