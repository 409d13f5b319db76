/**
 * The master: one queue, one loop. Each event is entered in the pool; then the plan returns what to do, and that is
 * done. Nothing else in the process acts on children.
 */

import { milliseconds } from '../config/durations.ts';
import { version } from '../config/version.ts';
import { ExitCode, report } from '../errors.ts';
import type { Taken, WatchdogMessage, WorkerMessage } from '../ipc/messages.ts';
import { type Logger, logOutput } from '../logger.ts';
import { onModule } from '../node/loaded-modules.ts';
import { AdminService } from './admin/service.ts';
import { Children } from './children/children.ts';
import { explainBoot, explainCrash, logDelay, logExit } from './children/exits.ts';
import { logSlow, logStall, nameOf } from './children/hangs.ts';
import { runningRequests, type WorkerRequests } from './children/running.ts';
import { ShortageLog } from './children/shortages.ts';
import { isEcho, type Origin, originFields } from './commands.ts';
import { Steering } from './control/steering.ts';
import { noteExit } from './endings.ts';
import { type CommandEvent, commandEvent, isStop, type MasterEvent } from './events.ts';
import { Executor } from './executor.ts';
import { type Generation, type LoadConfiguration, prepareFirst } from './generations/generation.ts';
import { Generations } from './generations/generations.ts';
import { reopenLog } from './generations/log-file.ts';
import { Rollout } from './generations/rollout.ts';
import { logEscapes, MasterHooks } from './hooks.ts';
import type { Inbox } from './inbox.ts';
import { CountersFile } from './metrics/counters-file.ts';
import type { Family } from './metrics/exposition.ts';
import { measure } from './metrics/measure.ts';
import { MasterStatsd } from './metrics/statsd.ts';
import * as notes from './notes.ts';
import { nextLook, plan } from './plan.ts';
import { policyOf } from './policy.ts';
import { type Child, childrenOf, createPool, type Pool } from './pool.ts';
import { type Snapshot, snapshot } from './snapshot.ts';
import { StartScreen } from './start-screen.ts';
import { type Status, statusOf } from './status.ts';
import { Stop } from './stop.ts';
import { takeAdmin } from './succession/admin.ts';
import { inheritedCounters, predecessor, Successor } from './succession/successor.ts';
import { Surroundings } from './surroundings/surroundings.ts';
import { isInForeground } from './terminal.ts';
import { Watcher } from './watcher/watcher.ts';

/** If the loop resumes this much later than planned, the process was suspended or starved. */
const oversleptMs = 100;

export interface MasterOptions {
  readonly load: LoadConfiguration;
  /** Holds the signals that came since the process began. */
  readonly inbox: Inbox<MasterEvent>;
  /** The directory in which the command was started, by the name that the user gave it. */
  readonly home: string;
}

interface MasterParts extends MasterOptions {
  /** What this process has loaded of the user's: a config module and its imports. */
  readonly ownModules: ReadonlySet<string>;
}

/**
 * Runs until stopped.
 * @throws ConfigError when the configuration is bad or an address cannot be bound; then no worker has run
 */
export async function runMaster({ load, inbox, home }: MasterOptions): Promise<ExitCode> {
  const surroundings = new Surroundings(predecessor);
  const ownModules = new Set<string>();
  onModule((file) => ownModules.add(file));
  const options = { load: surroundings.checked(load), inbox, home };
  const giveUp = new AbortController();
  const first = prepareFirst(options.load, giveUp.signal, predecessor() !== undefined);
  const stop = await Promise.race([first.then(() => undefined), inbox.find(isStop)]);
  if (stop === undefined) return new Master({ ...options, ownModules }, await first, surroundings).run();
  giveUp.abort();
  // In a script that calls `run`, the process may continue.
  const close = ({ listeners, admin }: Generation) => {
    for (const listener of listeners) listener.close();
    admin?.close();
  };
  void first.then(close, () => {});
  return ExitCode.ok;
}

class Master {
  private readonly inbox: Inbox<MasterEvent>;
  private readonly surroundings: Surroundings;
  private readonly pool: Pool;
  private readonly children: Children;
  private readonly generations: Generations;
  private readonly shortages = new ShortageLog();
  private readonly hooks: MasterHooks;
  private readonly rollout: Rollout;
  private readonly watcher: Watcher;
  private readonly executor: Executor;
  private readonly successor: Successor;
  private readonly counters = new CountersFile(inheritedCounters);
  private readonly succession = {
    admin: () => this.current.admin,
    counters: this.counters,
    onGone: () => this.surroundings.settle(this.current),
  };
  private readonly admin = new AdminService(this, takeAdmin);
  private readonly identity = { pid: process.pid, version: version(), startedAt: performance.now() };
  private readonly statsd = new MasterStatsd();
  private readonly screen = new StartScreen();
  private readonly stop: Stop;
  private readonly steering: Steering;
  private exitCode: ExitCode = ExitCode.ok;

  constructor({ load, inbox, home, ownModules }: MasterParts, generation: Generation, surroundings: Surroundings) {
    const { settings } = generation.configuration;
    this.inbox = inbox;
    this.surroundings = surroundings;
    this.successor = new Successor(home);
    this.pool = createPool(policyOf(settings), settings.workers);
    this.children = new Children(this.counters, (event) => inbox.push(event));
    this.generations = new Generations(load, this.pool.generation, generation);
    this.hooks = new MasterHooks(
      () => this.snapshot,
      () => this.current,
    );
    const tell = (event: MasterEvent) => inbox.push(event);
    this.watcher = new Watcher(
      ownModules,
      () => this.log,
      (file) => tell(commandEvent('reload', { from: 'watcher', file })),
    );
    const { pool, generations, children, hooks, watcher, counters, screen } = this;
    const rollout = new Rollout({ pool, generations, surroundings, hooks, watcher, counters, tell });
    this.rollout = rollout;
    this.stop = new Stop({
      pool,
      children,
      log: () => this.log,
      delayMs: () => milliseconds(this.current.configuration.settings.drainDelay),
      hasOther: () => this.successor.other !== undefined,
    });
    this.admin.serve(generation);
    this.steering = new Steering(
      {
        pool,
        children,
        inbox,
        generations: this.generations,
        counters: this.counters,
        current: () => this.current,
        status: () => this.status(),
        requests: () => this.requests(),
        reload: (origin) => this.obey(commandEvent('reload', origin)),
        scale: (workers, origin) => this.scale(workers, origin),
      },
      predecessor() !== undefined,
    );
    rollout.onEnd = (error) => this.steering.noteReloadEnd(error);
    this.executor = new Executor({ pool, children, hooks, rollout, screen, current: () => this.current });
  }

  async run(): Promise<ExitCode> {
    const { app, settings } = this.current.configuration;
    const { workers, workerClass } = settings;
    const log = () => this.log;
    logOutput(log, settings);
    this.rollout.setTitle();
    // The loop does not run yet. This wait hears a stop, and keeps the process alive.
    this.stop.request = await Promise.race([this.hooks.starting().then(() => undefined), this.inbox.find(isStop)]);
    if (this.stop.request !== undefined) return this.finish();
    this.surroundings.open(this.current, () => this.inbox.push({ type: 'watchdog' }));
    await this.steering.open();
    this.surroundings.onAlone = () => void this.steering.promote();
    const addresses = this.current.listeners.map(({ address }) => address);
    const fields = { version: version(), app, addresses, workers, workerClass, node: process.version };
    this.log.event('info', 'master_started', fields, 'tsgun started', this.screen.step);
    if (settings.reload) this.log.say('warn', {}, 'reload: files are watched; this is for development');
    this.watcher.follow(this.pool.generation, this.current);
    return logEscapes(log, () => this.loop());
  }

  private async loop(): Promise<ExitCode> {
    let awakeAt = performance.now();
    for (;;) {
      const now = performance.now();
      this.makeUpFor(now - awakeAt, now);
      this.stop.checkDelay(now);
      this.hooks.checkState();
      if (this.doWhatIsPlanned(now) === 'stop') return this.finish();
      this.children.checkMemory(now);
      this.statsd.follow(this.current.configuration.settings, this.snapshot.ready);
      this.surroundings.announce(this.snapshot, this.successor.other);
      const wakeAt = nextLook(this.pool, now);
      const events = await this.inbox.next(wakeAt - now);
      awakeAt = performance.now();
      this.makeUpFor(awakeAt - wakeAt, awakeAt);
      for (const event of events) this.take(event);
      if (this.pool.stopping !== undefined) this.closeUnserved();
    }
  }

  /** An action may call for another. But a killed child counts until it has exited; then its replacement is planned. */
  private doWhatIsPlanned(now: number): 'stop' | 'go on' {
    for (;;) {
      const actions = plan(this.pool, now);
      for (const action of actions) {
        if (action.type === 'stop') return 'stop';
        this.executor.carryOut(action, now);
      }
      if (actions.length === 0 || actions.some(({ type }) => type === 'kill')) return 'go on';
    }
  }

  /** Time in which this process was suspended or starved does not count against its children. */
  private makeUpFor(lostMs: number, now: number): void {
    if (lostMs > oversleptMs) notes.noteOverslept(this.pool, lostMs, now);
  }

  private get current(): Generation {
    return this.generations.get(this.pool.generation);
  }

  private get log(): Logger {
    return this.current.log;
  }

  private get snapshot(): Snapshot {
    return snapshot(this.pool, this.identity, performance.now());
  }

  /** At any time, also while every worker is blocked. */
  status(): Status {
    const { configuration, listeners } = this.current;
    const { app, settings } = configuration;
    const addresses = listeners.map(({ address }) => address);
    return statusOf(this.snapshot, { app, addresses, settings, otherMaster: this.successor.other });
  }

  /** Resolves within 200 ms, also while every worker is blocked. */
  requests(): Promise<WorkerRequests[]> {
    return runningRequests(childrenOf(this.pool), this.children, performance.now());
  }

  metrics(): Promise<Family[]> {
    const { configuration, listeners, certificates: current } = this.current;
    const { workerClass } = configuration.settings;
    const hasOther = this.successor.other !== undefined;
    const certificates = current?.expiries ?? new Map<string, number>();
    return measure({
      counters: this.counters,
      listeners,
      workerClass,
      hasOther,
      certificates,
      snapshot: () => this.snapshot,
      requests: () => this.requests(),
    });
  }

  // What happened.

  private take(event: MasterEvent): void {
    if (event.type === 'command') this.obey(event);
    else if (event.type === 'message') this.hear(event.child, event.message);
    else if (event.type === 'exit') this.reap(event.child, event.code, event.signal);
    else if (event.type === 'prepared') this.begin(event.generation);
    else if (event.type === 'watchdog') this.surroundings.alive();
    else if (event.type === 'control') event.act();
    else this.rollout.fail(report(event.error));
  }

  private begin(generation: Generation): void {
    this.rollout.take(generation);
    this.steering.forgetLogLevel();
    this.admin.serve(generation);
  }

  private obey(event: CommandEvent): void {
    const { command, origin } = event;
    this.screen.end();
    if (isStop(event)) this.stop.take(event);
    else if (command === 'reopen') this.reopenLogs(origin);
    else if (this.pool.stopping !== undefined) return;
    else if (command === 'reload') this.rollout.begin(origin);
    else if (command === 'upgrade') this.successor.start(originFields(origin), this.current, this.succession);
    else if (command === 'more' || command === 'fewer') this.scale(command, origin);
    else if (command === 'dismiss' && origin.from === 'signal' && isInForeground())
      this.log.say('debug', originFields(origin), 'ignored: a terminal sends this signal when it is resized');
    else this.scale('dismiss', origin);
  }

  private scale(scaling: notes.Scaling, origin: Origin): void {
    this.screen.end();
    const from = this.pool.target;
    this.rollout.scale(scaling);
    const workers = this.pool.target;
    this.log.event('info', 'scaled', { ...originFields(origin), from, workers }, 'worker count changed');
  }

  /** The master reopens first: if it makes a new file, workers with another user find it there. */
  private reopenLogs(origin: Origin): void {
    for (const generation of this.generations.all()) reopenLog(generation);
    this.children.sendAll({ type: 'reopen' });
    this.log.say('info', originFields(origin), 'log files reopened');
  }

  private hear(child: Child, message: WorkerMessage | WatchdogMessage): void {
    const now = performance.now();
    const { pool, children } = this;
    if (message.type === 'beat') notes.noteBeat(pool, child, message, now);
    else if (message.type === 'serving') notes.noteServing(child);
    else if (message.type === 'ready') this.welcome(child, message, now);
    else if (message.type === 'draining') notes.noteDraining(child);
    else if (message.type === 'loaded') this.watcher.note(child.generation, message.files);
    else if (message.type === 'leaving') this.noteLeaving(child, message, now);
    else if (message.type === 'snapshot_begins') this.steering.noteSnapshotBegins(child);
    else if (message.type === 'snapshot') this.steering.noteSnapshot(child, message);
    else if (message.type === 'boot_failed') children.noteBootError(child, message.error);
    else if (message.type === 'short') this.shortages.note(this.log, nameOf(child), message, now);
    else if (message.type === 'slow') logSlow(this.log, child, message);
    else if (message.type === 'excused') notes.noteExcused(child, now);
    else if (message.type === 'stalled' || message.type === 'hung' || message.type === 'report') {
      children.hangs.enter(child, message);
      if (message.type === 'stalled') logStall(this.log, child, message);
      else if (message.type === 'hung') notes.noteHung(child, now);
      else notes.noteReported(child, message.silentMs, now);
    }
  }

  private noteLeaving(child: Child, { reason, error }: Extract<WorkerMessage, { type: 'leaving' }>, now: number): void {
    if (error !== undefined) this.children.noteCrash(child, error);
    notes.noteRetiring(child, reason, this.pool.policy.graceMs, now);
  }

  private welcome(child: Child, taken: Taken, now: number): void {
    notes.noteReady(this.pool, child, now);
    this.stop.welcome(child);
    this.hooks.scheme = taken.scheme;
    const { serves, askedFor } = taken;
    const found = {
      interface: taken.interface,
      ...(serves && { serves }),
      ...(askedFor !== undefined && { askedFor }),
    };
    this.steering.introduce(child);
    const fields = { ...nameOf(child), ...found, bootMs: Math.round(now - child.spawnedAt) };
    this.log.event('info', 'worker_ready', fields, 'worker ready', this.screen.step);
    const screen = this.current.failure === undefined ? this.screen.ready(this.current, taken) : undefined;
    this.generations.announce(child.generation, taken, screen);
    if (this.snapshot.ready < this.pool.target) return;
    this.screen.end();
    this.admin.settle(this.current.admin);
  }

  private reap(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const { pool } = this;
    const { policy } = pool;
    this.steering.forget(child);
    const { exit, bootError, crash, memoryKill } = this.children.reap(child, code, signal);
    const { consequence, ...ending } = noteExit(pool, child, exit, performance.now());
    const error = ending.reason === 'boot_failed' ? (bootError ?? explainBoot(child, policy, ending)) : undefined;
    const screen = consequence.type === 'start_failed' && error !== undefined ? this.screen.failed(error) : undefined;
    logExit(this.log, ending, pool, { consequence, error, memoryKill, memoryBytes: child.beat.memoryBytes, screen });
    if (screen === undefined) this.screen.end();
    this.hooks.exited(ending);
    this.counters.noteExit(ending.worker, ending.reason);
    this.rollout.tidy();
    if (consequence.type === 'delayed') logDelay(this.log, ending, consequence, pool);
    else if (consequence.type === 'start_failed') this.exitCode = error?.exitCode ?? ExitCode.boot;
    else if (consequence.type === 'reload_failed') this.rollout.fail(error ?? explainCrash(ending));
    else if (consequence.type === 'broken')
      this.rollout.breakOff(error ?? crash ?? explainCrash(ending), !pool.hasServed);
  }

  // The end.

  /** Once no worker accepts, clients are refused at once; otherwise they would wait in an accept queue that nobody serves. */
  private closeUnserved(): void {
    if (!childrenOf(this.pool).some(({ isAccepting }) => isAccepting)) this.generations.closeAll();
  }

  private async finish(): Promise<ExitCode> {
    this.watcher.close();
    this.closeUnserved();
    const first = this.stop.request;
    const isAnother = (event: MasterEvent): event is CommandEvent =>
      isStop(event) && (first === undefined || !isEcho(first, event));
    await this.hooks.ending(this.inbox.find(isAnother));
    await this.surroundings.close(this.snapshot, this.successor.other);
    this.steering.close();
    this.generations.closeAdmin();
    this.statsd.close();
    const { uptimeMs, requests } = this.snapshot;
    const fields = { exitCode: this.exitCode, uptimeMs, requests };
    const isUnserved = this.exitCode !== ExitCode.ok;
    this.log.event('info', 'shutdown_finished', fields, 'tsgun stopped', isUnserved ? '' : undefined);
    return this.exitCode;
  }
}
