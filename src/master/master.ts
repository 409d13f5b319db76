/**
 * The master: one queue, one loop. Whatever happens is entered in the pool; then the plan is asked what to do, and that is
 * done. Nothing else in the process acts on children.
 */

import type { Configuration } from '../config/load.ts';
import { formatAddress } from '../config/parsers.ts';
import type { Settings } from '../config/settings.ts';
import { BootError, type ErrorReport, ExitCode, report } from '../errors.ts';
import type { WorkerMessage } from '../ipc/messages.ts';
import { createLogger, type Logger } from '../logger.ts';
import { type Command, listenForCommands } from './commands.ts';
import { Inbox } from './inbox.ts';
import { bindAll, type Listener } from './listeners.ts';
import { type Action, nextLook, plan } from './plan.ts';
import {
  addChild,
  type Child,
  childrenOf,
  createPool,
  type ExitReason,
  noteBeat,
  noteDraining,
  noteExit,
  noteKilled,
  noteReady,
  noteReload,
  noteRetiring,
  type Policy,
  type Pool,
  quickStopMs,
} from './pool.ts';
import { type ChildProcess, spawnWorker } from './spawn.ts';

type MasterEvent =
  | { type: 'command'; command: Command; signal: NodeJS.Signals }
  | { type: 'message'; child: Child; message: WorkerMessage }
  | { type: 'exit'; child: Child; code: number | null; signal: NodeJS.Signals | null }
  | { type: 'reloaded'; configuration: Configuration; listeners: Listener[] }
  | { type: 'reload_failed'; error: unknown };

/** Reads the configuration; called at the start and again for every reload. */
export type LoadConfiguration = () => Promise<Configuration>;

/**
 * Runs until stopped.
 * @throws ConfigError when the configuration is bad or an address cannot be bound; then no worker has run
 */
export async function runMaster(load: LoadConfiguration): Promise<ExitCode> {
  // From the very start: a signal that comes during the first milliseconds must not find Node's own reaction.
  const inbox = new Inbox<MasterEvent>();
  listenForCommands((command, signal) => inbox.push({ type: 'command', command, signal }));
  const configuration = await load();
  const listeners = await bindAll(configuration.settings.bind);
  return new Master(load, inbox, configuration, listeners).run();
}

class Master {
  private readonly load: LoadConfiguration;
  private readonly inbox: Inbox<MasterEvent>;
  private readonly log: Logger;
  private readonly pool: Pool;
  private readonly processes = new Map<Child, ChildProcess>();
  /** By generation: a reload that fails goes back to the one before. */
  private readonly configurations = new Map<number, Configuration>();
  private readonly bootErrors = new Map<Child, ErrorReport>();
  private listeners: Listener[];
  private exitCode: ExitCode = ExitCode.ok;
  private isReading = false;
  private mustReadAgain = false;
  private readonly startedAt = performance.now();
  private servedByTheDead = 0;

  constructor(load: LoadConfiguration, inbox: Inbox<MasterEvent>, configuration: Configuration, listeners: Listener[]) {
    const { settings } = configuration;
    this.load = load;
    this.inbox = inbox;
    this.listeners = listeners;
    this.log = createLogger(settings);
    this.pool = createPool(policyOf(settings), settings.workers);
    this.configurations.set(this.pool.generation, configuration);
  }

  async run(): Promise<ExitCode> {
    const { app, settings } = this.current;
    process.title = `${settings.procName}: master [${app}]`;
    const { workers, workerClass } = settings;
    this.log.event('info', 'master_started', { app, workers, workerClass, node: process.version }, 'tsgun started');
    for (;;) {
      const now = performance.now();
      for (const action of plan(this.pool, now)) {
        if (action.type === 'stop') return this.finish();
        this.act(action, now);
      }
      const event = await this.inbox.next(nextLook(this.pool, now) - now);
      if (event !== undefined) this.take(event);
    }
  }

  private get current(): Configuration {
    return this.configurations.get(this.pool.generation)!;
  }

  // What happened.

  private take(event: MasterEvent): void {
    if (event.type === 'command') this.obey(event.command, event.signal);
    else if (event.type === 'message') this.hear(event.child, event.message);
    else if (event.type === 'exit') this.bury(event.child, event.code, event.signal);
    else if (event.type === 'reloaded') this.roll(event.configuration, event.listeners);
    else this.failReload(report(event.error));
  }

  private obey(command: Command, signal: NodeJS.Signals): void {
    if (command === 'stop' || command === 'quit') this.stop(command, signal);
    else if (this.pool.isStopping || command === 'reopen') return;
    else if (command === 'reload') this.reload(signal);
    else {
      this.pool.target = Math.max(1, this.pool.target + (command === 'more' ? 1 : -1));
      this.log.say('info', { signal, workers: this.pool.target }, 'worker count changed');
    }
  }

  private hear(child: Child, message: WorkerMessage): void {
    const now = performance.now();
    if (message.type === 'beat') noteBeat(this.pool, child, message.requests, now);
    else if (message.type === 'ready') this.welcome(child, message.interface, now);
    else if (message.type === 'draining') noteDraining(child);
    else if (message.type === 'leaving') noteRetiring(child, message.reason, now + this.pool.policy.graceMs);
    else this.bootErrors.set(child, message.error);
  }

  private welcome(child: Child, appInterface: string, now: number): void {
    const isFirst = !this.pool.hasServed;
    noteReady(this.pool, child, now);
    const bootMs = Math.round(now - child.spawnedAt);
    this.log.event(
      'info',
      'worker_ready',
      { ...this.describe(child), interface: appInterface, bootMs },
      'worker ready',
    );
    if (isFirst) for (const { address } of this.listeners) this.announce(address);
  }

  private announce(address: string): void {
    this.log.event('info', 'listening', { address, url: `http://${address}` }, `listening on http://${address}`);
  }

  private bury(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const now = performance.now();
    const { pool } = this;
    const wasReloading = pool.reloadFrom !== undefined && child.generation === pool.generation;
    const reason = noteExit(pool, child, signal, now);
    const error = reason === 'boot_failed' ? this.bootError(child, code, signal) : undefined;
    this.logExit(child, code, signal, reason, error, now);
    this.processes.delete(child);
    this.bootErrors.delete(child);
    this.servedByTheDead += child.requests;
    if (error === undefined) return;
    if (wasReloading && pool.reloadFrom === undefined) this.failReload(error);
    else if (!pool.hasServed && !pool.isStopping) {
      this.exitCode = error.exitCode ?? ExitCode.boot;
      pool.isStopping = true;
    }
  }

  private bootError(child: Child, code: number | null, signal: NodeJS.Signals | null): ErrorReport {
    const told = this.bootErrors.get(child);
    if (told !== undefined) return told;
    if (child.state === 'killed') {
      const limit = `${this.pool.policy.bootMs / 1000} s (bootTimeout)`;
      return report(new BootError(`worker not ready within ${limit}: does the app wait for something as it loads?`));
    }
    return report(
      new BootError(`worker exited while booting (${signal ?? `code ${code}`}), before the app was loaded`),
    );
  }

  private logExit(
    child: Child,
    code: number | null,
    signal: NodeJS.Signals | null,
    reason: ExitReason,
    error: ErrorReport | undefined,
    now: number,
  ): void {
    const { requests } = child;
    const uptimeMs = Math.round(now - child.spawnedAt);
    const fields = { ...this.describe(child), code, signal, uptimeMs, requests, reason };
    const isExpected = ['reload', 'max_requests', 'max_memory', 'scaled_down', 'shutdown'].includes(reason);
    if (error === undefined) {
      const wasCut = isExpected && signal !== null && child.state === 'killed' && requests > 0;
      const level = isExpected && !wasCut ? 'info' : 'warn';
      return this.log.event(level, 'worker_exited', fields, `worker exited: ${reason}`);
    }
    // Before the first service, the first failure is everyone's: the others would only repeat it.
    const level = this.pool.hasServed ? 'error' : this.pool.isStopping ? 'debug' : 'fatal';
    const { message, stack } = error;
    this.log.event(level, 'worker_exited', { ...fields, error: message, ...(stack ? { stack } : {}) }, message);
  }

  // Reloads.

  /** Reads the configuration anew, beside the loop; what comes of it arrives as an event. The newest reload counts. */
  private reload(signal: NodeJS.Signals | undefined): void {
    if (signal !== undefined) this.log.event('info', 'reload_started', { signal }, 'reloading');
    this.mustReadAgain = this.isReading;
    if (this.isReading) return;
    this.isReading = true;
    const read = async (): Promise<MasterEvent> => {
      const configuration = await this.load();
      return { type: 'reloaded', configuration, listeners: await bindAll(configuration.settings.bind, this.listeners) };
    };
    read()
      .catch((error): MasterEvent => ({ type: 'reload_failed', error }))
      .then((event) => {
        this.isReading = false;
        this.inbox.push(event);
      });
  }

  private roll(configuration: Configuration, listeners: Listener[]): void {
    const { settings } = configuration;
    // A listener that is no longer wanted is closed last, when no worker accepts on it.
    this.listeners = [...new Set([...listeners, ...this.listeners])];
    if (this.pool.isStopping) return;
    if (this.mustReadAgain) return this.reload(undefined);
    noteReload(this.pool, policyOf(settings), settings.workers);
    this.configurations.set(this.pool.generation, configuration);
  }

  private failReload({ message, stack }: ErrorReport): void {
    this.log.event(
      'error',
      'reload_failed',
      { error: message, ...(stack ? { stack } : {}) },
      `reload given up: ${message}`,
    );
    this.pool.policy = policyOf(this.current.settings);
    this.pool.target = this.current.settings.workers;
    if (this.mustReadAgain) this.reload(undefined);
  }

  private finishReload(): void {
    const { pool } = this;
    pool.reloadFrom = undefined;
    for (const generation of this.configurations.keys())
      if (generation !== pool.generation) this.configurations.delete(generation);
    const wanted = this.listenersOf(this.current);
    for (const listener of this.listeners) if (!wanted.includes(listener)) listener.close();
    this.listeners = wanted;
    this.log.event('info', 'reload_finished', { workers: pool.target, generation: pool.generation }, 'reload finished');
  }

  private listenersOf({ settings }: Configuration): Listener[] {
    return settings.bind.map((address) => this.listeners.find(({ key }) => key === formatAddress(address))!);
  }

  // The end.

  private stop(command: 'stop' | 'quit', signal: NodeJS.Signals): void {
    const { pool } = this;
    const now = performance.now();
    if (pool.isStopping) {
      for (const child of childrenOf(pool)) this.kill(child, 'shutdown');
      return;
    }
    pool.isStopping = true;
    this.log.event('info', 'shutdown_started', { signal, workers: pool.children.size }, 'stopping');
    if (command === 'stop') return;
    for (const child of childrenOf(pool)) {
      if (child.state === 'booting') this.kill(child, 'shutdown');
      else if (child.state !== 'killed') noteRetiring(child, 'shutdown', Math.min(now + quickStopMs, child.deadline));
      this.processes.get(child)?.send({ type: 'quit' });
    }
  }

  private finish(): ExitCode {
    for (const listener of this.listeners) listener.close();
    const uptimeMs = Math.round(performance.now() - this.startedAt);
    const fields = { exitCode: this.exitCode, uptimeMs, requests: this.servedByTheDead };
    this.log.event('info', 'shutdown_finished', fields, 'tsgun stopped');
    return this.exitCode;
  }

  // What to do.

  private act(action: Exclude<Action, { type: 'stop' }>, now: number): void {
    if (action.type === 'spawn') this.spawn(now);
    else if (action.type === 'finish_reload') this.finishReload();
    else if (action.type === 'retire') {
      noteRetiring(action.child, action.reason, now + this.pool.policy.graceMs);
      this.processes.get(action.child)?.send({ type: 'retire' });
    } else this.kill(action.child, action.reason);
  }

  private spawn(now: number): void {
    const { app, settings } = this.current;
    const child = addChild(this.pool, now);
    const childProcess = spawnWorker({
      order: { id: child.id, app, settings, sockets: this.listenersOf(this.current).map(({ socket }) => socket) },
      onMessage: (message) => this.inbox.push({ type: 'message', child, message }),
      onExit: (code, signal) => this.inbox.push({ type: 'exit', child, code, signal }),
    });
    this.processes.set(child, childProcess);
    this.log.event('info', 'worker_spawned', this.describe(child), 'worker spawned');
  }

  private kill(child: Child, reason: ExitReason): void {
    if (reason === 'hung')
      this.log.event(
        'error',
        'worker_hung',
        this.describe(child),
        `worker silent for ${this.pool.policy.timeoutMs} ms`,
      );
    noteKilled(child, reason);
    this.processes.get(child)?.kill();
  }

  /** How the log names a worker. */
  private describe(child: Child): { pid: number | undefined; worker: number; generation: number } {
    return { pid: this.processes.get(child)?.pid, worker: child.id, generation: child.generation };
  }
}

function policyOf(settings: Settings): Policy {
  return {
    bootMs: settings.bootTimeout * 1000,
    timeoutMs: settings.timeout === 0 ? Number.POSITIVE_INFINITY : settings.timeout * 1000,
    graceMs: settings.gracefulTimeout * 1000,
  };
}
