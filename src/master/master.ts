/**
 * The master: one queue, one loop. Each event is entered in the pool; then the plan returns what to do, and that is
 * done. `executor.ts` does it, `child-events.ts` enters what children report; nothing else in the process acts on children.
 */

import { milliseconds } from '../config/durations.ts';
import { version } from '../config/version.ts';
import { ExitCode, report } from '../errors.ts';
import { logOutput, type OwnLogger } from '../logger.ts';
import { AdminService } from './admin/service.ts';
import { Chaos } from './chaos.ts';
import { ChildEvents } from './child-events.ts';
import { Children } from './children/children.ts';
import { isEcho, type Origin, originFields } from './commands.ts';
import { Steering } from './control/steering.ts';
import { type CommandEvent, commandEvent, isStop, type MasterEvent } from './events.ts';
import { Executor } from './executor.ts';
import type { Generation, LoadConfiguration } from './generations/generation.ts';
import { Generations } from './generations/generations.ts';
import { reopenLog } from './generations/log-file.ts';
import { Rollout } from './generations/rollout.ts';
import { logEscapes, MasterHooks } from './hooks.ts';
import type { Inbox } from './inbox.ts';
import { CountersFile } from './metrics/counters-file.ts';
import { MasterStatsd } from './metrics/statsd.ts';
import * as notes from './notes.ts';
import { Overview } from './overview.ts';
import { nextDeadline, plan } from './plan.ts';
import { policyOf } from './policy.ts';
import { childrenOf, createPool, type Pool } from './pool.ts';
import { Autoscaler } from './scaling/autoscaler.ts';
import { StartScreen } from './start-screen.ts';
import { Stop } from './stop.ts';
import { takeAdmin } from './succession/admin.ts';
import { inheritedCounters, predecessor, Successor } from './succession/successor.ts';
import type { Surroundings } from './surroundings/surroundings.ts';
import { isInForeground } from './terminal.ts';
import { Watcher } from './watcher/watcher.ts';

/** If the loop resumes this much later than planned, the process was suspended or starved. */
const oversleptMs = 100;

export interface MasterParts {
  readonly load: LoadConfiguration;
  readonly inbox: Inbox<MasterEvent>;
  /** The directory in which the command was started, by the name that the user gave it. */
  readonly home: string;
  /** The user's modules that this process has loaded: a config module and its imports. */
  readonly ownModules: ReadonlySet<string>;
}

export class Master {
  private readonly inbox: Inbox<MasterEvent>;
  private readonly surroundings: Surroundings;
  private readonly pool: Pool;
  private readonly children: Children;
  private readonly generations: Generations;
  private readonly overview: Overview;
  private readonly hooks: MasterHooks;
  private readonly rollout: Rollout;
  private readonly watcher: Watcher;
  private readonly executor: Executor;
  private readonly childEvents: ChildEvents;
  private readonly successor: Successor;
  private readonly counters = new CountersFile(inheritedCounters);
  private readonly admin: AdminService;
  private readonly statsd = new MasterStatsd();
  private readonly autoscaler: Autoscaler;
  private readonly chaos: Chaos;
  private readonly screen = new StartScreen();
  private readonly stop: Stop;
  private readonly steering: Steering;

  constructor({ load, inbox, home, ownModules }: MasterParts, generation: Generation, surroundings: Surroundings) {
    const { settings } = generation.configuration;
    const current = () => this.current;
    const log = () => this.log;
    const tell = (event: MasterEvent) => inbox.push(event);
    this.inbox = inbox;
    this.surroundings = surroundings;
    this.successor = new Successor(home);
    this.pool = createPool(policyOf(settings), settings.workers);
    this.children = new Children(this.counters, tell);
    this.generations = new Generations(load, this.pool.generation, generation);
    const { pool, generations, children, counters, screen } = this;
    const other = () => this.successor.other;
    const identity = { pid: process.pid, version: version(), startedAt: performance.now() };
    const overview = new Overview({ pool, children, counters, identity, current, other });
    this.overview = overview;
    const hooks = new MasterHooks(() => overview.snapshot, current);
    this.hooks = hooks;
    const watcher = new Watcher(ownModules, log, (file) => tell(commandEvent('reload', { from: 'watcher', file })));
    this.watcher = watcher;
    const rollout = new Rollout({ pool, generations, surroundings, hooks, watcher, counters, tell });
    this.rollout = rollout;
    const delayMs = () => milliseconds(this.current.configuration.settings.drainDelay);
    const stop = new Stop({ pool, children, log, delayMs, hasOther: () => other() !== undefined });
    this.stop = stop;
    const admin = new AdminService(overview, takeAdmin);
    this.admin = admin;
    admin.serve(generation);
    const steering = new Steering(
      {
        pool,
        children,
        inbox,
        generations,
        counters,
        overview,
        current,
        reload: (origin) => this.obey(commandEvent('reload', origin)),
        scale: (workers, origin) => this.scale(workers, origin),
      },
      predecessor() !== undefined,
    );
    this.steering = steering;
    rollout.onEnd = (error) => steering.noteReloadEnd(error);
    const shared = { pool, children, hooks, rollout, screen, current };
    this.executor = new Executor(shared);
    this.childEvents = new ChildEvents({
      ...shared,
      generations,
      watcher,
      steering,
      stop,
      admin,
      counters,
      statsd: this.statsd,
    });
    this.chaos = new Chaos({ pool, log, send: (child, message) => children.send(child, message) });
    this.autoscaler = new Autoscaler({
      pool,
      counters,
      settings: () => this.current.configuration.settings,
      tell: (scaling) => tell({ type: 'load', scaling }),
    });
  }

  async run(): Promise<ExitCode> {
    const { app, settings } = this.current.configuration;
    const { workers, workerClass } = settings;
    const log = () => this.log;
    logOutput(log);
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
      if (!this.autoscaler.follow()) notes.noteNeeded(this.pool, this.pool.least);
      this.rollout.watch();
      this.chaos.follow(this.current.configuration.settings.chaos);
      this.hooks.checkState();
      if (this.doWhatIsPlanned(now) === 'stop') return this.finish();
      this.children.checkMemory(now);
      this.statsd.follow(this.current.configuration.settings, this.overview.snapshot.ready);
      this.surroundings.announce(this.overview.snapshot, this.successor.other);
      const wakeAt = nextDeadline(this.pool, now);
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

  private get log(): OwnLogger {
    return this.current.log;
  }

  // What happened.

  private take(event: MasterEvent): void {
    if (event.type === 'command') this.obey(event);
    else if (event.type === 'message') this.childEvents.hear(event.child, event.message);
    else if (event.type === 'exit') this.childEvents.reap(event.child, event.code, event.signal);
    else if (event.type === 'prepared') this.begin(event.generation);
    else if (event.type === 'watchdog') this.surroundings.alive();
    else if (event.type === 'control') event.act();
    else if (event.type === 'load') this.autoscaler.take(event.scaling, this.log);
    else if (event.type === 'judged') this.rollout.conclude(event.judgement);
    else if (event.type === 'went_bad') this.rollout.goBack(event.aftermath);
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
    else if (command === 'upgrade') this.upgrade(origin);
    else if (command === 'more' || command === 'fewer') this.scale(command, origin);
    else if (command === 'dismiss' && origin.from === 'signal' && isInForeground())
      this.log.say('debug', originFields(origin), 'ignored: a terminal sends this signal when it is resized');
    else this.scale('dismiss', origin);
  }

  private scale(scaling: notes.Scaling, origin: Origin): void {
    this.screen.end();
    const from = this.pool.least;
    this.rollout.scale(scaling);
    const workers = this.pool.least;
    this.log.event('info', 'scaled', { ...originFields(origin), from, workers }, 'worker count changed');
  }

  private upgrade(origin: Origin): void {
    const admin = () => this.current.admin;
    const onGone = () => this.surroundings.settle(this.current);
    this.successor.start(originFields(origin), this.current, { admin, counters: this.counters, onGone });
  }

  /** The master reopens first: if it makes a new file, workers with another user find it there. */
  private reopenLogs(origin: Origin): void {
    for (const generation of this.generations.all()) reopenLog(generation);
    this.children.sendAll({ type: 'reopen' });
    this.log.say('info', originFields(origin), 'log files reopened');
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
    await this.surroundings.close(this.overview.snapshot, this.successor.other);
    this.steering.close();
    this.generations.closeAdmin();
    this.statsd.close();
    this.autoscaler.close();
    this.chaos.close();
    const { uptimeMs, requests } = this.overview.snapshot;
    const exitCode = this.childEvents.startFailure ?? ExitCode.ok;
    const isUnserved = exitCode !== ExitCode.ok;
    const fields = { exitCode, uptimeMs, requests };
    this.log.event('info', 'shutdown_finished', fields, 'tsgun stopped', isUnserved ? '' : undefined);
    return exitCode;
  }
}
