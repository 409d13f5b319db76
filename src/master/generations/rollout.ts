/** A reload from the command to the exit of the last old worker: logs each step. The pool decides whether it succeeds. */

import type { Configuration } from '../../config/load.ts';
import type { ErrorReport } from '../../errors.ts';
import { type Aftermath, type Stretch, Watch } from '../canary/aftermath.ts';
import { type Judgement, Trial } from '../canary/trial.ts';
import { type Origin, originFields } from '../commands.ts';
import { noteRejected } from '../endings.ts';
import type { MasterEvent } from '../events.ts';
import type { MasterHooks } from '../hooks.ts';
import type { CountersFile } from '../metrics/counters-file.ts';
import { noteReload, noteReloaded, noteScaled, noteTrialPassed, type Scaling } from '../notes.ts';
import { policyOf } from '../policy.ts';
import { childrenOf, type Ending, type Pool } from '../pool.ts';
import type { Surroundings } from '../surroundings/surroundings.ts';
import type { Watcher } from '../watcher/watcher.ts';
import { type Generation, withFailure } from './generation.ts';
import type { Generations } from './generations.ts';
import { isSamePlace } from './release.ts';

export interface RolloutParts {
  readonly pool: Pool;
  readonly generations: Generations;
  readonly surroundings: Surroundings;
  readonly hooks: MasterHooks;
  readonly watcher: Watcher;
  readonly counters: CountersFile;
  readonly tell: (event: MasterEvent) => void;
}

export class Rollout {
  private readonly pool: Pool;
  private readonly generations: Generations;
  private readonly surroundings: Surroundings;
  private readonly hooks: MasterHooks;
  private readonly watcher: Watcher;
  private readonly counters: CountersFile;
  private readonly tell: (event: MasterEvent) => void;
  /** Called when a reload has ended: without an error if it has succeeded. */
  onEnd: ((error: string | undefined) => void) | undefined = undefined;
  /** Worker counts asked for while the configuration is read: they hold for the new generation too. */
  private scalings: Scaling[] = [];
  /** Of the wanted generation, until it is judged. */
  private trial: Trial | undefined = undefined;
  private readonly afterwards: Watch;
  /** While a reload is under way: what the generation before has done. */
  private before: Stretch | undefined = undefined;
  /** The release before the one that serves. */
  private fallback: Configuration | undefined = undefined;
  /** The configuration of a release that is being gone back to. */
  private returning: Configuration | undefined = undefined;

  constructor({ pool, generations, surroundings, hooks, watcher, counters, tell }: RolloutParts) {
    this.pool = pool;
    this.generations = generations;
    this.surroundings = surroundings;
    this.hooks = hooks;
    this.watcher = watcher;
    this.counters = counters;
    this.tell = tell;
    this.afterwards = new Watch({
      counters,
      seconds: () => this.current.configuration.settings.watchAfter,
      tell: (aftermath) => tell({ type: 'went_bad', aftermath }),
    });
  }

  /** Called at every turn of the loop. */
  watch(): void {
    this.afterwards.follow(this.pool.stopping === undefined);
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
    const { pool } = this;
    if (pool.stopping !== undefined) return this.generations.discard(generation);
    const { settings, warnings } = generation.configuration;
    if (pool.reloadFrom !== undefined)
      this.current.log.say('info', { generation: pool.generation }, 'a newer reload takes the place of this one');
    const known = this.current.configuration.warnings;
    // A release that is gone back to has been tried before.
    const isTried = settings.canary > 0 && generation.configuration !== this.returning;
    const canaries = isTried ? Math.max(1, Math.floor(settings.workers / 20)) : 0;
    this.before = pool.reloadFrom === undefined ? this.afterwards.recent : this.before;
    this.afterwards.end();
    noteReload(pool, policyOf(settings), settings.workers, this.scalings, canaries);
    this.scalings = [];
    this.add(generation);
    this.endTrial();
    if (pool.canaries > 0) this.trial = this.beginTrial(settings.canary);
    for (const warning of warnings) if (!known.includes(warning)) generation.log.say('warn', {}, warning);
    this.setTitle();
    this.hooks.reloading();
  }

  private beginTrial(seconds: number): Trial {
    const { pool, counters, tell } = this;
    const { generation } = pool;
    const onStart = () => {
      const fields = { generation, workers: pool.canaries, seconds };
      this.current.log.event('info', 'canary_started', fields, 'the new generation is on trial');
    };
    const judged = (own: Judgement) =>
      void this.hooks.judge(own).then((judgement) => tell({ type: 'judged', judgement }));
    return new Trial({ pool, counters, seconds, onStart, tell: judged });
  }

  private endTrial(): void {
    this.trial?.close();
    this.trial = undefined;
  }

  /** A worker has crashed, was found hung, or was killed for lack of memory. */
  noteCrash(ending: Ending): void {
    this.trial?.noteCrash(ending);
    this.afterwards.noteCrash(ending);
  }

  /** The trial is over. */
  conclude(judgement: Judgement): void {
    const { pool } = this;
    if (judgement.generation !== this.trial?.generation || pool.stopping !== undefined) return;
    this.endTrial();
    const isWorse = judgement.outcome === 'worse';
    const text = {
      worse: 'worse than the old one',
      no_worse: 'no worse than the old one',
      unknown: 'too little traffic to tell',
    };
    const message = `the new generation was tried: ${text[judgement.outcome]}`;
    this.current.log.event(isWorse ? 'error' : 'info', 'canary_judged', { ...judgement }, message);
    if (!isWorse) return noteTrialPassed(pool);
    noteRejected(pool);
    const error = `the new generation did worse than the old one: ${judgement.faults.join(', ')}`;
    this.fail({ name: 'Error', message: error }, false, 'canary');
  }

  /**
   * @param isTold whether the log has the error's stack already
   * @param reason why it failed although its workers booted
   */
  fail(error: ErrorReport, isTold = false, reason?: 'canary'): void {
    // A newer configuration that cannot be read ends no reload under way.
    if (this.pool.reloadFrom === undefined) this.endTrial();
    this.counters.noteReload('failed');
    const { message, stack } = error;
    const fields = { error: message, ...(reason && { reason }), ...(stack && !isTold ? { stack } : {}) };
    this.current.log.event('error', 'reload_failed', fields, `reload given up: ${message}`);
    this.setTitle();
    if (this.pool.stopping === undefined && this.current.configuration.settings.reload) this.show(error);
    this.settle();
    this.onEnd?.(message);
  }

  /**
   * The wanted generation cannot boot. From now on requests are answered with its error, until the next reload.
   * @param isStart whether there was none before it
   */
  breakOff(error: ErrorReport, isStart: boolean): void {
    // The line of its worker's end has the stack.
    if (!isStart) return this.fail(error, true);
    this.show(error);
    this.settle();
  }

  private show(error: ErrorReport): void {
    const { pool } = this;
    const failed = withFailure(this.current, error);
    noteReload(pool, policyOf(failed.configuration.settings, false), failed.configuration.settings.workers);
    this.add(failed);
    failed.log.say('warn', {}, 'requests are answered with this error until a file is changed');
  }

  private add(generation: Generation): void {
    const number = this.pool.generation;
    this.generations.add(number, generation);
    this.watcher.follow(number, generation);
  }

  finish(): void {
    const { pool } = this;
    this.beWatchful(pool.reloadFrom);
    noteReloaded(pool);
    this.settle();
    // It was given up: what is served now is its error.
    if (this.current.failure !== undefined) return;
    this.counters.noteReload('finished');
    const fields = { workers: pool.target, generation: pool.generation };
    this.current.log.event('info', 'reload_finished', fields, 'reload finished');
    this.onEnd?.(undefined);
  }

  /** A roll-out is complete: the new generation is watched, unless it is the release before or serves only an error. */
  private beWatchful(from: number | undefined): void {
    const { current, before } = this;
    const old = from === undefined ? undefined : this.generations.get(from);
    const isReturn = current.configuration === this.returning;
    this.returning = undefined;
    this.fallback = old && { ...old.configuration, ...old.release };
    const isWatched = old !== undefined && !isReturn && old.failure === undefined && current.failure === undefined;
    this.afterwards.begin(this.pool.generation, isWatched ? before : undefined);
    if (isWatched && current.configuration.settings.watchAfter > 0 && isSamePlace(old.release, current.release))
      this.sayNoWayBack(current);
  }

  private sayNoWayBack({ log, release }: Generation): void {
    // Whoever deploys by links most likely reloads for another reason than a new release.
    if (release.isLinked)
      return log.say(
        'info',
        { release: release.script ?? release.app },
        'watchAfter: the symbolic link names the same release as before, so there is nothing to go back to',
      );
    const remedy = 'deploy each into a folder of its own, behind a symbolic link';
    log.say(
      'warn',
      {},
      `watchAfter: this release is in the place of the one before it, so there is nothing to go back to: ${remedy}`,
    );
  }

  /** The generation that serves has gone bad: the release before takes its place again. */
  goBack(aftermath: Aftermath): void {
    const { pool, fallback, current } = this;
    const isOutdated = aftermath.generation !== pool.generation || pool.reloadFrom !== undefined;
    if (isOutdated || fallback === undefined || pool.stopping !== undefined || this.generations.isReading) return;
    this.counters.noteReload('failed');
    const error = `the new generation has gone bad after its roll-out: ${aftermath.faults.join(', ')}`;
    const isGone = isSamePlace(fallback, current.release);
    const message = isGone ? `${error}; the release before it was in the same place, so it stays` : error;
    current.log.event('error', 'reload_failed', { error, reason: 'watch_after', ...aftermath }, message);
    this.fallback = undefined;
    if (isGone) return;
    current.log.event('info', 'reload_started', { from: 'watch_after' }, 'going back to the release before');
    this.scalings = [];
    this.returning = fallback;
    this.surroundings.reloading();
    this.generations.read(
      this.tell,
      () => {},
      () => Promise.resolve(fallback),
    );
  }

  /** Closes generations that are not wanted and have no child left. */
  tidy(): void {
    const { generation, reloadFrom } = this.pool;
    const wanted = [generation, reloadFrom, ...childrenOf(this.pool).map((child) => child.generation)];
    this.generations.keepOnly(wanted);
    this.watcher.keepOnly(wanted);
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
