/** A reload from the command to the exit of the last old worker: logs each step. The pool decides whether it succeeds. */

import type { ErrorReport } from '../../errors.ts';
import { type Origin, originFields } from '../commands.ts';
import type { MasterEvent } from '../events.ts';
import type { MasterHooks } from '../hooks.ts';
import { noteReload, noteReloaded, noteScaled, type Scaling } from '../notes.ts';
import { policyOf } from '../policy.ts';
import { childrenOf, type Pool } from '../pool.ts';
import type { Surroundings } from '../surroundings/surroundings.ts';
import type { Generation } from './generation.ts';
import type { Generations } from './generations.ts';

export class Rollout {
  private readonly pool: Pool;
  private readonly generations: Generations;
  private readonly surroundings: Surroundings;
  private readonly hooks: MasterHooks;
  private readonly tell: (event: MasterEvent) => void;
  /** Since the last command to reload, while the configuration is read: they hold for the new generation too. */
  private scalings: Scaling[] = [];

  constructor(
    pool: Pool,
    generations: Generations,
    surroundings: Surroundings,
    hooks: MasterHooks,
    tell: (event: MasterEvent) => void,
  ) {
    this.pool = pool;
    this.generations = generations;
    this.surroundings = surroundings;
    this.hooks = hooks;
    this.tell = tell;
  }

  /** Reads the configuration; the result is an event. */
  begin(origin: Origin): void {
    this.scalings = [];
    if (!this.generations.isReading) {
      this.current.log.event('info', 'reload_started', originFields(origin), 'reloading');
      this.surroundings.reloading();
    }
    this.generations.read(this.tell, (count) => {
      const message = `reloading again: asked for ${count} more times while the configuration was read`;
      this.current.log.event('info', 'reload_started', { count }, message);
    });
  }

  scale(scaling: Scaling): void {
    noteScaled(this.pool, scaling);
    if (this.generations.isReading) this.scalings.push(scaling);
  }

  /** The configuration is read. */
  take(generation: Generation): void {
    const { pool, generations } = this;
    if (pool.stopping !== undefined) return generations.discard(generation);
    const { settings, warnings } = generation.configuration;
    if (pool.reloadFrom !== undefined)
      this.current.log.say('info', { generation: pool.generation }, 'a newer reload takes the place of this one');
    const known = this.current.configuration.warnings;
    noteReload(pool, policyOf(settings), settings.workers, this.scalings);
    this.scalings = [];
    generations.add(pool.generation, generation);
    for (const warning of warnings) if (!known.includes(warning)) generation.log.say('warn', {}, warning);
    this.setTitle();
    this.hooks.reloading();
  }

  fail({ message, stack }: Pick<ErrorReport, 'message' | 'stack'>): void {
    const fields = { error: message, ...(stack ? { stack } : {}) };
    this.current.log.event('error', 'reload_failed', fields, `reload given up: ${message}`);
    this.setTitle();
    this.settle();
  }

  finish(): void {
    const { pool } = this;
    noteReloaded(pool);
    this.settle();
    const fields = { workers: pool.target, generation: pool.generation };
    this.current.log.event('info', 'reload_finished', fields, 'reload finished');
  }

  /** Lets go of generations that are not wanted and have no child left. */
  tidy(): void {
    const { generation, reloadFrom } = this.pool;
    this.generations.keepOnly([generation, reloadFrom, ...childrenOf(this.pool).map((child) => child.generation)]);
  }

  setTitle(): void {
    const { app, settings } = this.current.configuration;
    process.title = `${settings.procName}: master [${app}]`;
  }

  private settle(): void {
    this.tidy();
    this.surroundings.settle(this.current);
  }

  private get current(): Generation {
    return this.generations.get(this.pool.generation);
  }
}
