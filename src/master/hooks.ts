/** The hooks that the master calls: those of the configuration in force when the event happens. */

import { setTimeout } from 'node:timers/promises';
import { schemeAt, schemeExpected } from '../config/values/tls.ts';
import { ConfigError, describe, report } from '../errors.ts';
import {
  type CanaryTrial,
  callHook,
  type HookServer,
  type Hooks,
  type HookWorker,
  hookLog,
  serverAddress,
} from '../hooks.ts';
import type { Hang } from '../ipc/messages.ts';
import type { Logger } from '../logger.ts';
import type { WorkerName } from './children/hangs.ts';
import type { Generation } from './generations/generation.ts';
import type { Ending } from './pool.ts';
import type { Snapshot } from './snapshot.ts';

/** How long `onCanary` may take for its verdict. */
const longestVerdictMs = 60_000;
/** `onExit` may delay a stop for this long. */
const longestExitHookMs = 5000;

export class MasterHooks {
  private readonly snapshot: () => Snapshot;
  private readonly current: () => Generation;
  private knownWorkers: number | undefined = undefined;
  private isReady = false;
  /** The scheme of the addresses' URLs: known once a worker has loaded the app. */
  scheme: string | undefined = undefined;

  /** @param current returns the configuration in force */
  constructor(snapshot: () => Snapshot, current: () => Generation) {
    this.snapshot = snapshot;
    this.current = current;
  }

  /** @throws ConfigError if the hook fails: then nothing is started */
  async starting(): Promise<void> {
    try {
      await this.hooks.onStarting?.(this.server);
    } catch (error) {
      throw new ConfigError(`onStarting: the hook failed: ${report(error).message}`, { cause: error });
    }
  }

  /** Called at every turn of the loop. */
  checkState(): void {
    const { knownWorkers } = this;
    const { state, wanted } = this.snapshot();
    if (!this.isReady && this.current().failure === undefined && (state === 'serving' || state === 'reloading')) {
      this.isReady = true;
      this.call('whenReady', () => this.hooks.whenReady?.(this.server));
    }
    if (wanted === knownWorkers) return;
    this.knownWorkers = wanted;
    this.call('nworkersChanged', () => this.hooks.nworkersChanged?.(this.server, wanted, knownWorkers));
  }

  reloading(): void {
    this.call('onReload', () => this.hooks.onReload?.(this.server));
  }

  /** @returns the trial; with the user's verdict, if the hook gives one in time */
  async judge<T extends CanaryTrial>(trial: T): Promise<T | (T & Pick<CanaryTrial, 'outcome' | 'faults'>)> {
    if (this.hooks.onCanary === undefined) return trial;
    const { log } = this.current();
    let verdict: unknown;
    const asked = callHook('onCanary', log, async () => {
      verdict = await this.hooks.onCanary?.(this.server, trial);
      if (verdict === undefined || verdict === 'worse' || verdict === 'no_worse') return;
      throw new TypeError(`expected 'worse', 'no_worse' or undefined, got ${describe(verdict)}`);
    });
    await new Promise<void>((resolve) => {
      const giveUp = () => {
        const message = `the hook onCanary has not answered within ${longestVerdictMs / 1000} s`;
        log.say('warn', { hook: 'onCanary' }, message);
        resolve();
      };
      const timer = globalThis.setTimeout(giveUp, longestVerdictMs).unref();
      void asked.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (verdict === 'worse') return { ...trial, outcome: verdict, faults: [...new Set([...trial.faults, 'hook'])] };
    return verdict === 'no_worse' ? { ...trial, outcome: verdict, faults: [] } : trial;
  }

  forking(name: WorkerName): void {
    this.call('preFork', () => this.hooks.preFork?.(this.server, this.worker(name)));
  }

  aborting(name: WorkerName, { stack, requests }: Hang): void {
    this.call('workerAbort', () => this.hooks.workerAbort?.({ ...this.worker(name), stack, requests }));
  }

  exited(ending: Ending): void {
    const { code, signal, reason, uptimeMs, requests } = ending;
    const worker = { ...this.worker(ending), code, signal, reason, uptimeMs, requests };
    this.call('childExit', () => this.hooks.childExit?.(this.server, worker));
  }

  /**
   * Calls `onExit` and waits for it, up to a limit. The service has ended already.
   * @param hurry resolves when the wait is to end at once
   */
  async ending(hurry: Promise<unknown>): Promise<void> {
    if (this.hooks.onExit === undefined) return;
    const aborter = new AbortController();
    const done = callHook('onExit', this.current().log, () => this.hooks.onExit?.(this.server));
    await Promise.race([done, hurry, setTimeout(longestExitHookMs, undefined, aborter).catch(() => {})]);
    aborter.abort();
  }

  private call(name: keyof Hooks, call: () => unknown): void {
    if (this.hooks[name] !== undefined) void callHook(name, this.current().log, call);
  }

  private get hooks(): Hooks {
    return this.current().configuration.hooks;
  }

  private get log() {
    return hookLog(this.current().log);
  }

  private get server(): HookServer {
    const { configuration, listeners } = this.current();
    const { app, settings } = configuration;
    const scheme = this.scheme ?? schemeExpected(settings.interface, app);
    const addresses = listeners.map(({ address }, index) => serverAddress(address, schemeAt(settings, index, scheme)));
    const { pid, wanted, generation } = this.snapshot();
    return { pid, app, settings, addresses, workers: wanted, generation, log: this.log };
  }

  private worker({ pid, worker, generation }: WorkerName): HookWorker {
    return { pid, id: worker, generation, log: this.log };
  }
}

/** A config file's code stays in the master: an error that escapes from it must not end a running service. */
export async function logEscapes<T>(log: () => Logger, run: () => Promise<T>): Promise<T> {
  const onEscape = (error: unknown) => log().say('error', { ...report(error) }, 'an error escaped in the master');
  process.on('uncaughtException', onEscape).on('unhandledRejection', onEscape);
  try {
    return await run();
  } finally {
    process.off('uncaughtException', onEscape).off('unhandledRejection', onEscape);
  }
}
