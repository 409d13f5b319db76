/** Ends a worker once, whatever the number of reasons, and within its time limit. */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { type AskedInterface, servedBy } from '../../app/names.ts';
import type { Listening } from '../../app/server-files/listening.ts';
import { shutDown } from '../../app/server-files/shutdown.ts';
import { milliseconds } from '../../config/durations.ts';
import type { Settings } from '../../config/settings.ts';
import { sendToMaster } from '../../ipc/channel.ts';
import { idleGraceMs, mostListed } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Worker } from '../classes/worker.ts';
import type { WorkerName } from '../name.ts';
import { waiting } from '../watchdog/waiting.ts';

export interface Leave {
  /** For the log, if the master does not log the reason. */
  readonly why?: string;
  readonly code?: number;
  /** The time for running requests, instead of `gracefulTimeout`. */
  readonly graceMs?: number;
  readonly idleGraceMs?: number;
  /** Whether all other workers leave too. */
  readonly isStop?: boolean;
}

/**
 * A signal to the whole process group may reach a worker before the master's order. For this long the worker serves on and waits
 * for the order. If that says that all workers stop, it also takes what waits in the accept queue, which would be lost otherwise.
 */
const orderMs = 500;

export class Exit {
  /** Set once the worker serves. */
  worker: Worker | undefined = undefined;
  isLeaving = false;
  /** The servers that the app itself has opened with `listen`. */
  listening: Listening | undefined = undefined;
  /** Called when draining begins. */
  onLeave: (() => void) | undefined = undefined;
  /** Called when no request runs any more, before `onExit`. */
  onDrained: (() => Promise<void>) | undefined = undefined;
  /** Called before the process ends, which waits for it while there is time. */
  onExit: (() => Promise<void>) | undefined = undefined;
  private code = 0;
  private isStop = false;
  private isDraining = false;
  private isShuttingDown = false;
  private ending: Promise<void> | undefined = undefined;
  private deadline = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** Runs while it waits for the master's order. */
  private orderTimer: NodeJS.Timeout | undefined = undefined;
  private readonly log: Logger;
  readonly name: WorkerName;
  private readonly graceMs: number;

  /** The time for running requests, if a `Leave` has none, is `gracefulTimeout`. */
  constructor(log: Logger, name: WorkerName, { gracefulTimeout }: Pick<Settings, 'gracefulTimeout'>) {
    this.log = log;
    this.name = name;
    this.graceMs = milliseconds(gracefulTimeout);
  }

  /** Drains and exits. Before the worker serves, it only notes the request to leave. */
  leave({ why, code = 0, graceMs = this.graceMs, isStop, ...more }: Leave): void {
    // After a crash, others continue: then a client that has just connected gets as long as at a reload.
    const usualMs = isStop === true ? idleGraceMs.stop : idleGraceMs.replacement;
    const idleMs = more.idleGraceMs ?? Math.min(usualMs, graceMs / 2);
    // A second TERM during the app's own shutdown: the app ends itself that way, or an operator does not want to wait.
    if (this.isShuttingDown && why === 'SIGTERM') process.exit(this.code);
    this.isLeaving = true;
    this.isStop ||= isStop === true;
    this.code ||= code;
    const { worker } = this;
    if (worker === undefined) {
      if (!process.connected) process.exit(this.code);
      return;
    }
    this.endWithin(graceMs, worker);
    if (this.isDraining) return;
    const isNews = this.orderTimer === undefined;
    if (why !== undefined && isNews)
      this.log.event(
        'info',
        'worker_recycled',
        { ...this.name, reason: isStop ? 'shutdown' : 'killed' },
        `${why}: finishing and leaving`,
      );
    if (why === 'SIGTERM' && process.connected) {
      this.orderTimer ??= setTimeout(() => {
        void sendToMaster({ type: 'leaving', reason: 'killed' });
        this.beginDrain(worker, idleMs);
      }, orderMs);
      return;
    }
    this.beginDrain(worker, idleMs);
  }

  private beginDrain(worker: Worker, idleMs: number): void {
    clearTimeout(this.orderTimer);
    this.isDraining = true;
    this.onLeave?.();
    void this.finish(worker, idleMs);
  }

  /** The earliest limit counts. The master kills a little later, because a blocked worker cannot end itself. */
  private endWithin(graceMs: number, worker: Worker): void {
    const deadline = performance.now() + graceMs;
    if (deadline >= this.deadline) return;
    this.deadline = deadline;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.cut(worker), graceMs).unref();
  }

  private cut(worker: Worker): void {
    const requests = worker.serving.running();
    if (requests.length > 0)
      this.log.event(
        'warn',
        'request_timeout',
        { cut: requests.length, requests: requests.slice(0, mostListed), ...stackOf(worker) },
        'out of time: requests cut',
      );
    if (this.isShuttingDown || worker.isEnding)
      this.log.event('warn', 'worker_hung', {}, 'out of time: the app did not end by itself, so it is ended');
    else {
      worker.serving.sayFarewell();
      void this.onExit?.();
    }
    process.exit(this.code);
  }

  /** After a failed boot: no other limit ends the hooks. */
  async sayGoodbye(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, this.graceMs));
    await Promise.race([this.onExit?.(), late]);
  }

  private async finish(worker: Worker, idleMs: number): Promise<void> {
    try {
      await worker.stopAccepting(this.isStop);
      this.listening?.closeOthers();
      void sendToMaster({ type: 'draining' });
      // Only the app knows how connections of its own protocol end.
      if (servedBy(worker.interface as AskedInterface) === 'connections' && this.listening?.chosen !== undefined)
        void this.shutDown();
      await worker.drain(idleMs);
    } finally {
      await sendToMaster({ type: 'beat', requests: worker.serving.requests, running: 0, memoryBytes: 0 });
      await this.onDrained?.();
      this.listening?.release();
      await this.onExit?.();
      await this.shutDown();
      process.exit(this.code);
    }
  }

  /** Runs the app's own shutdown code, once. The process ends with it, however that code ends. */
  private shutDown(): Promise<void> {
    this.ending ??= this.runShutdown();
    return this.ending;
  }

  private async runShutdown(): Promise<void> {
    this.isShuttingDown = true;
    process.exitCode = this.code;
    process.channel?.unref();
    await shutDown(this.listening, (text) => this.log.say('error', {}, text));
  }
}

/** This runs on the main thread, so no request runs code there now. In threads, requests may. */
function stackOf({ threads }: Worker): { readonly stack?: string } {
  return threads === undefined ? { stack: waiting } : {};
}
