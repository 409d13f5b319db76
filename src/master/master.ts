/**
 * The master: one queue, one loop. Whatever happens is entered in the pool; then the plan is asked what to do, and that is
 * done. Nothing else in the process acts on children.
 */

import { type ErrorReport, ExitCode, report } from '../errors.ts';
import { type ExitReason, idleGraceMs, type WatchdogMessage, type WorkerMessage } from '../ipc/messages.ts';
import type { Logger } from '../logger.ts';
import { explainBoot, logExit, logRecycling } from './children/exits.ts';
import { Hangs, logStall, type WorkerName } from './children/hangs.ts';
import { type ChildProcess, spawnWorker } from './children/spawn.ts';
import type { Command } from './commands.ts';
import { isStop, type MasterEvent } from './events.ts';
import { type Generation, type LoadConfiguration, prepareFirst, reopenLog } from './generations/generation.ts';
import { Generations } from './generations/generations.ts';
import { logEscapes, MasterHooks } from './hooks.ts';
import type { Inbox } from './inbox.ts';
import { type Action, nextLook, plan } from './plan.ts';
import { policyOf } from './policy.ts';
import {
  addChild,
  type Child,
  childrenOf,
  createPool,
  noteBeat,
  noteDraining,
  noteExcused,
  noteExit,
  noteHung,
  noteKilled,
  noteOverslept,
  noteReady,
  noteReload,
  noteRetiring,
  noteScaled,
  noteStopping,
  overstayMs,
  type Pool,
  quickStopMs,
} from './pool.ts';
import { predecessor, Successor } from './succession/successor.ts';
import { Surroundings } from './surroundings/surroundings.ts';
import { isInForeground } from './terminal.ts';

/** A loop that comes back this much later than it meant to was not running. */
const oversleptMs = 100;

export interface MasterOptions {
  readonly load: LoadConfiguration;
  /** Holds the signals that came since the process began. */
  readonly inbox: Inbox<MasterEvent>;
  /** The directory that the command was started in, by the name that the user gave it. */
  readonly home: string;
}

/**
 * Runs until stopped.
 * @throws ConfigError when the configuration is bad or an address cannot be bound; then no worker has run
 */
export async function runMaster({ load, inbox, home }: MasterOptions): Promise<ExitCode> {
  const surroundings = new Surroundings(predecessor);
  const options = { load: surroundings.checked(load), inbox, home };
  const first = prepareFirst(options.load);
  const stop = await Promise.race([first.then(() => undefined), inbox.find(isStop)]);
  return stop === undefined ? new Master(options, await first, surroundings).run() : ExitCode.ok;
}

class Master {
  private readonly inbox: Inbox<MasterEvent>;
  private readonly surroundings: Surroundings;
  private readonly pool: Pool;
  private readonly processes = new Map<Child, ChildProcess>();
  private readonly generations: Generations;
  private readonly bootErrors = new Map<Child, ErrorReport>();
  private readonly hangs = new Hangs();
  private readonly hooks: MasterHooks;
  private exitCode: ExitCode = ExitCode.ok;
  private readonly successor: Successor;
  private readonly startedAt = performance.now();
  private servedByTheDead = 0;

  constructor({ load, inbox, home }: MasterOptions, generation: Generation, surroundings: Surroundings) {
    const { settings } = generation.configuration;
    this.inbox = inbox;
    this.surroundings = surroundings;
    this.successor = new Successor(home);
    this.pool = createPool(policyOf(settings), settings.workers);
    this.generations = new Generations(load, this.pool.generation, generation);
    this.hooks = new MasterHooks(this.pool, () => this.current);
  }

  async run(): Promise<ExitCode> {
    const {
      app,
      settings: { workers, workerClass },
    } = this.current.configuration;
    this.setTitle();
    // The loop does not run yet: without this wait a stop would not be heard, and nothing might keep the process alive.
    const stop = await Promise.race([this.hooks.starting(), this.inbox.find(isStop)]);
    if (stop !== undefined) return this.finish();
    this.surroundings.open(this.current, () => this.inbox.push({ type: 'watchdog' }));
    this.log.event('info', 'master_started', { app, workers, workerClass, node: process.version }, 'tsgun started');
    const log = () => this.log;
    return logEscapes(log, () => this.loop());
  }

  private async loop(): Promise<ExitCode> {
    let awakeAt = performance.now();
    for (;;) {
      const now = performance.now();
      this.makeUpFor(now - awakeAt, now);
      this.hooks.look();
      for (const action of plan(this.pool, now)) {
        if (action.type === 'stop') return this.finish();
        this.act(action, now);
      }
      this.surroundings.look(this.pool, this.successor.other);
      const wakeAt = nextLook(this.pool, now);
      const events = await this.inbox.next(wakeAt - now);
      awakeAt = performance.now();
      this.makeUpFor(awakeAt - wakeAt, awakeAt);
      for (const event of events) this.take(event);
      if (this.pool.isStopping) this.closeUnserved();
    }
  }

  /** Time in which this process was suspended, or starved, is not held against its children. */
  private makeUpFor(lostMs: number, now: number): void {
    if (lostMs > oversleptMs) noteOverslept(this.pool, lostMs, now);
  }

  private get current(): Generation {
    return this.generations.get(this.pool.generation);
  }

  private get log(): Logger {
    return this.current.log;
  }

  private setTitle(): void {
    const { app, settings } = this.current.configuration;
    process.title = `${settings.procName}: master [${app}]`;
  }

  // What happened.

  private take(event: MasterEvent): void {
    if (event.type === 'command') this.obey(event.command, event.signal);
    else if (event.type === 'message') this.hear(event.child, event.message);
    else if (event.type === 'exit') this.bury(event.child, event.code, event.signal);
    else if (event.type === 'prepared') this.roll(event.generation);
    else if (event.type === 'watchdog') this.surroundings.alive();
    else this.failReload(report(event.error));
  }

  private obey(command: Command, signal: NodeJS.Signals): void {
    if (command === 'stop' || command === 'quit') this.stop(command, signal);
    else if (command === 'reopen') this.reopenLogs(signal);
    else if (this.pool.isStopping) return;
    else if (command === 'reload') this.reload(signal);
    else if (command === 'upgrade') this.upgrade(signal);
    else if (command === 'dismiss' && isInForeground())
      this.log.say('debug', { signal }, 'ignored: a terminal sends this signal when it is resized');
    else {
      noteScaled(this.pool, command);
      this.log.say('info', { signal, workers: this.pool.target }, 'worker count changed');
    }
  }

  private upgrade(signal: NodeJS.Signals): void {
    this.successor.start(signal, this.current, () => this.surroundings.settle(this.current));
  }

  /** The master's first: where it makes a new file, the workers, who may be other users, find it. */
  private reopenLogs(signal: NodeJS.Signals): void {
    for (const generation of this.generations.all()) reopenLog(generation);
    for (const childProcess of this.processes.values()) childProcess.send({ type: 'reopen' });
    this.log.say('info', { signal }, 'log files reopened');
  }

  private hear(child: Child, message: WorkerMessage | WatchdogMessage): void {
    const now = performance.now();
    if (message.type === 'beat') noteBeat(this.pool, child, message.requests, message.memoryBytes, now);
    else if (message.type === 'ready') this.welcome(child, message.interface, now);
    else if (message.type === 'draining') noteDraining(child);
    else if (message.type === 'leaving') noteRetiring(child, message.reason, now + this.pool.policy.graceMs);
    else if (message.type === 'boot_failed') this.bootErrors.set(child, message.error);
    else if (message.type === 'excused') noteExcused(child, now);
    else if (message.type === 'stalled') logStall(this.log, this.describe(child), message);
    else if (message.type === 'hung') {
      this.hangs.enter(child, message);
      noteHung(child, now);
    }
  }

  private welcome(child: Child, appInterface: string, now: number): void {
    noteReady(this.pool, child, now);
    const fields = { ...this.describe(child), interface: appInterface, bootMs: Math.round(now - child.spawnedAt) };
    this.log.event('info', 'worker_ready', fields, 'worker ready');
    this.generations.announce(child.generation, appInterface);
  }

  private bury(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const now = performance.now();
    const { pool } = this;
    const wasReloading = pool.reloadFrom !== undefined && child.generation === pool.generation;
    if (this.bootErrors.has(child)) child.reason = 'boot_failed';
    const reason = noteExit(pool, child, signal, now);
    const exit = { code, signal, reason, uptimeMs: Math.round(now - child.spawnedAt), requests: child.requests };
    const told = this.bootErrors.get(child);
    const error = reason === 'boot_failed' ? (told ?? explainBoot(child, pool.policy, exit)) : undefined;
    logExit(this.log, { ...this.describe(child), ...exit }, error, pool);
    this.hooks.exited(this.describe(child), exit);
    this.processes.delete(child);
    this.bootErrors.delete(child);
    this.hangs.forget(child);
    this.servedByTheDead += child.requests;
    this.tidy();
    if (error === undefined) return;
    if (wasReloading && pool.reloadFrom === undefined) this.failReload(error);
    else if (!pool.hasServed && !pool.isStopping) {
      this.exitCode = error.exitCode ?? ExitCode.boot;
      pool.isStopping = true;
    }
  }

  // Reloads.

  private reload(signal: NodeJS.Signals): void {
    this.log.event('info', 'reload_started', { signal }, 'reloading');
    this.surroundings.reloading();
    this.generations.read((event) => this.inbox.push(event));
  }

  private roll(generation: Generation): void {
    if (this.pool.isStopping) return this.generations.discard(generation);
    const { settings } = generation.configuration;
    noteReload(this.pool, policyOf(settings), settings.workers);
    this.generations.add(this.pool.generation, generation);
    this.setTitle();
    this.hooks.reloading();
  }

  private failReload({ message, stack }: ErrorReport): void {
    const fields = { error: message, ...(stack ? { stack } : {}) };
    this.log.event('error', 'reload_failed', fields, `reload given up: ${message}`);
    this.setTitle();
    this.tidy();
    this.surroundings.settle(this.current);
  }

  private finishReload(): void {
    const { pool } = this;
    pool.reloadFrom = undefined;
    this.tidy();
    this.surroundings.settle(this.current);
    this.log.event('info', 'reload_finished', { workers: pool.target, generation: pool.generation }, 'reload finished');
  }

  /** Lets go of generations that are not wanted and have no child left. */
  private tidy(): void {
    const { pool } = this;
    this.generations.keepOnly([pool.generation, pool.reloadFrom, ...childrenOf(pool).map((child) => child.generation)]);
  }

  // The end.

  private stop(command: 'stop' | 'quit', signal: NodeJS.Signals): void {
    const { pool } = this;
    const now = performance.now();
    if (pool.isStopping) {
      for (const child of childrenOf(pool)) this.kill(child, 'shutdown');
      return;
    }
    noteStopping(pool, now);
    this.log.event('info', 'shutdown_started', { signal, workers: pool.children.size }, 'stopping');
    if (command === 'stop') return;
    for (const child of childrenOf(pool)) {
      if (child.state === 'booting') this.kill(child, 'shutdown');
      else if (child.state !== 'killed')
        noteRetiring(child, 'shutdown', Math.min(now + quickStopMs, child.deadline - overstayMs));
      this.processes.get(child)?.send({ type: 'quit', graceMs: quickStopMs });
    }
  }

  /** Once no worker accepts, who connects is refused at once, and not left in a queue that nobody serves any more. */
  private closeUnserved(): void {
    if (!childrenOf(this.pool).some(({ isAccepting }) => isAccepting)) this.generations.closeAll();
  }

  private async finish(): Promise<ExitCode> {
    this.closeUnserved();
    await this.hooks.ending(this.inbox.find(isStop));
    await this.surroundings.close(this.pool, this.successor.other);
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
      if (action.child.worn === action.reason) logRecycling(this.log, this.describe(action.child), action.child);
      noteRetiring(action.child, action.reason, now + this.pool.policy.graceMs);
      const { graceMs } = this.pool.policy;
      const isStop = this.pool.isStopping;
      const idleMs = Math.min(isStop ? idleGraceMs.stop : idleGraceMs.replacement, graceMs / 2);
      this.processes.get(action.child)?.send({ type: 'retire', graceMs, idleGraceMs: idleMs, isStop });
    } else if (action.reason === 'hung' && this.hangs.isSuspended(action.child, this.describe(action.child))) {
      noteExcused(action.child, now);
      this.log.say('warn', this.describe(action.child), 'worker suspended by a signal or a debugger: left alone');
    } else this.kill(action.child, action.reason);
  }

  private spawn(now: number): void {
    const { configuration, listeners, identity, umask } = this.current;
    const { app, appArguments, script, hooksFrom, directory, settings } = configuration;
    const sockets = listeners.map(({ socket }) => socket);
    const child = addChild(this.pool, now);
    const { id, generation } = child;
    this.hooks.forking({ worker: id, generation });
    const childProcess = spawnWorker({
      order: { id, generation, app, appArguments, script, hooksFrom, directory, identity, umask, settings, sockets },
      onMessage: (message) => this.inbox.push({ type: 'message', child, message }),
      onExit: (code, signal) => this.inbox.push({ type: 'exit', child, code, signal }),
    });
    if (childProcess === undefined) return;
    this.processes.set(child, childProcess);
    this.log.event('info', 'worker_spawned', this.describe(child), 'worker spawned');
  }

  private kill(child: Child, reason: ExitReason): void {
    if (reason === 'hung') {
      const hang = this.hangs.log(this.log, child, this.describe(child), this.pool.policy.timeoutMs);
      this.hooks.aborting(this.describe(child), hang);
    }
    noteKilled(child, reason);
    this.processes.get(child)?.kill();
  }

  /** How the log names a worker. */
  private describe(child: Child): WorkerName {
    return { pid: this.processes.get(child)?.pid, worker: child.id, generation: child.generation };
  }
}
