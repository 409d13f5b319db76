/** Takes what children report and how they end: enters it in the records, logs it, and passes it to the parts concerned. */

import { ExitCode } from '../errors.ts';
import type { ExitReason, Taken, WatchdogMessage, WorkerMessage } from '../ipc/messages.ts';
import type { Logger } from '../logger.ts';
import type { AdminService } from './admin/service.ts';
import type { Children } from './children/children.ts';
import { explainBoot, explainCrash, logDelay, logExit, logWaits } from './children/exits.ts';
import { logSlow, logStall, nameOf } from './children/hangs.ts';
import { ShortageLog } from './children/shortages.ts';
import { Unlogged } from './children/unlogged.ts';
import type { Steering } from './control/steering.ts';
import { noteExit } from './endings.ts';
import type { Generation } from './generations/generation.ts';
import type { Generations } from './generations/generations.ts';
import type { Rollout } from './generations/rollout.ts';
import type { MasterHooks } from './hooks.ts';
import type { CountersFile } from './metrics/counters-file.ts';
import type { MasterStatsd } from './metrics/statsd.ts';
import * as notes from './notes.ts';
import { type Child, type Pool, readyOf } from './pool.ts';
import type { StartScreen } from './start-screen.ts';
import type { Stop } from './stop.ts';
import type { Watcher } from './watcher/watcher.ts';

interface Parts {
  readonly pool: Pool;
  readonly children: Children;
  readonly generations: Generations;
  readonly hooks: MasterHooks;
  readonly rollout: Rollout;
  readonly watcher: Watcher;
  readonly steering: Steering;
  readonly stop: Stop;
  readonly admin: AdminService;
  readonly counters: CountersFile;
  readonly statsd: MasterStatsd;
  readonly screen: StartScreen;
  /** The configuration in force. */
  readonly current: () => Generation;
}

export class ChildEvents {
  /** Set when no worker could boot: the master exits with it. */
  startFailure: ExitCode | undefined = undefined;
  private readonly parts: Parts;
  private readonly shortages = new ShortageLog();
  private readonly unlogged: Unlogged;

  constructor(parts: Parts) {
    this.parts = parts;
    this.unlogged = new Unlogged((child, lines) => parts.children.send(child, lines));
  }

  private get log(): Logger {
    return this.parts.current().log;
  }

  hear(child: Child, message: WorkerMessage | WatchdogMessage): void {
    const now = performance.now();
    const { pool, children, watcher, steering } = this.parts;
    if (message.type === 'beat') notes.noteBeat(pool, child, message, now);
    else if (message.type === 'serving') notes.noteServing(child);
    else if (message.type === 'ready') this.welcome(child, message, now);
    else if (message.type === 'draining') notes.noteDraining(child);
    else if (message.type === 'loaded') watcher.note(child.generation, message.files);
    else if (message.type === 'leaving') this.noteLeaving(child, message, now);
    else if (message.type === 'snapshot_begins') steering.noteSnapshotBegins(child);
    else if (message.type === 'snapshot') steering.noteSnapshot(child, message);
    else if (message.type === 'boot_failed') children.noteBootError(child, message.error);
    else if (message.type === 'waits') {
      if (children.noteWaits(child, message)) logWaits(this.log, child, message, pool.policy, now);
    } else if (message.type === 'short') this.shortages.note(this.log, nameOf(child), message, now);
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
    const { pool, children } = this.parts;
    if (error !== undefined) children.noteCrash(child, error);
    notes.noteRetiring(child, reason, pool.policy.graceMs, now);
  }

  private welcome(child: Child, taken: Taken, now: number): void {
    const { pool, generations, hooks, steering, stop, admin, screen, current } = this.parts;
    notes.noteReady(pool, child, now);
    stop.welcome(child);
    this.unlogged.settle(pool);
    hooks.scheme = taken.scheme;
    const { serves, askedFor } = taken;
    const found = {
      interface: taken.interface,
      ...(serves && { serves }),
      ...(askedFor !== undefined && { askedFor }),
    };
    steering.introduce(child);
    const fields = { ...nameOf(child), ...found, bootMs: Math.round(now - child.spawnedAt) };
    const shown = pool.stopping === undefined ? screen.step : '';
    this.log.event('info', 'worker_ready', fields, 'worker ready', shown);
    const banner = current().failure === undefined ? screen.ready(current(), taken) : undefined;
    generations.announce(child.generation, taken, banner);
    if (readyOf(pool).length < pool.target) return;
    screen.end();
    admin.settle(current().admin);
  }

  /** The child has exited. */
  reap(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const { pool, children, hooks, rollout, steering, counters, screen } = this.parts;
    const { policy } = pool;
    steering.forget(child);
    const reaped = children.reap(child, code, signal);
    const { exit, bootError, slowBoot, crash, memoryKill, unavailable, answered } = reaped;
    const { consequence, ...ending } = noteExit(pool, child, exit, performance.now());
    const error =
      ending.reason === 'boot_failed' ? (bootError ?? explainBoot(child, policy, ending, slowBoot)) : undefined;
    const shown = consequence.type === 'start_failed' && error !== undefined ? screen.failed(error) : undefined;
    const { memoryBytes } = child.beat;
    logExit(this.log, ending, pool, { consequence, error, memoryKill, memoryBytes, screen: shown });
    if (shown === undefined) screen.end();
    hooks.exited(ending);
    if (isCrash(ending.reason) || memoryKill !== undefined) rollout.noteCrash(ending);
    counters.noteExit(child, ending.reason, unavailable);
    this.parts.statsd.noteUnavailable(answered.map(({ ms }) => ms));
    this.unlogged.enter(child, answered, pool);
    rollout.tidy();
    if (consequence.type === 'delayed') logDelay(this.log, ending, consequence);
    else if (consequence.type === 'start_failed') this.startFailure = error?.exitCode ?? ExitCode.boot;
    else if (consequence.type === 'reload_failed') rollout.fail(error ?? explainCrash(ending));
    else if (consequence.type === 'broken') rollout.breakOff(error ?? crash ?? explainCrash(ending), !pool.hasServed);
  }
}

function isCrash(reason: ExitReason): boolean {
  return reason === 'crashed' || reason === 'hung';
}
