/**
 * The processes behind the pool's children: starts them, sends to them, kills them, and keeps what they reported of their own
 * end. The plan decides when.
 */

import { chosenSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { isTls } from '../../config/values/tls.ts';
import type { ErrorReport } from '../../errors.ts';
import type { AnsweredRequest, Awaited, Findings, MasterMessage, TlsFiles } from '../../ipc/messages.ts';
import type { Exit } from '../endings.ts';
import type { MasterEvent } from '../events.ts';
import type { Generation } from '../generations/generation.ts';
import type { CountersFile, Unavailable } from '../metrics/counters-file.ts';
import { noteForked } from '../notes.ts';
import type { Child } from '../pool.ts';
import type { Certificates } from '../tls/certificates.ts';
import { Examinations, type Question } from './examinations.ts';
import type { SlowBoot } from './exits.ts';
import { Hangs } from './hangs.ts';
import { type MemoryKill, MemoryKills } from './memory-kills.ts';
import { Samplers } from './samplers.ts';
import { type ChildProcess, spawnWorker } from './spawn.ts';

/** Workers count only if something reads it: the metrics, the autoscaler, or the judgement of a release. */
function isCounting({ adminBind, maxWorkers, canary, watchAfter }: Settings): boolean {
  return adminBind !== undefined || maxWorkers > 0 || canary > 0 || watchAfter > 0;
}

export class Children {
  readonly hangs = new Hangs();
  private readonly processes = new Map<Child, ChildProcess>();
  private readonly renewals = new Map<Child, () => void>();
  private readonly bootErrors = new Map<Child, ErrorReport>();
  private readonly waits = new Map<Child, Awaited>();
  private readonly crashes = new Map<Child, ErrorReport>();
  private readonly examinations = new Examinations<Child>();
  private readonly memoryKills = new MemoryKills();
  private readonly samplers = new Samplers<Child>();
  private readonly classes = new Map<Child, Settings['workerClass']>();
  private readonly counters: CountersFile;
  private readonly tell: (event: MasterEvent) => void;

  constructor(counters: CountersFile, tell: (event: MasterEvent) => void) {
    this.counters = counters;
    this.tell = tell;
  }

  /** @returns whether there is a process; if not, its exit has been reported */
  spawn(child: Child, { configuration, listeners, identity, umask, failure, certificates }: Generation): boolean {
    const { app, appArguments, script, earlierRuns, hooksFrom, directory, environment } = configuration;
    // Workers get their settings in an environment variable, which others can read; they have no use for the password.
    const settings = { ...configuration.settings, keyfilePassword: undefined };
    const { seat, worker, generation } = child;
    const sockets = listeners.map(({ socket }, index) =>
      isTls(settings, index) ? { ...socket, isTls: true } : socket,
    );
    const childProcess = spawnWorker({
      counters: isCounting(settings) ? this.counters.placeOf(child) : undefined,
      environment,
      order: {
        seat,
        worker,
        generation,
        app,
        appArguments,
        script,
        earlierRuns,
        hooksFrom,
        directory,
        identity,
        umask,
        settings,
        chosen: chosenSettings(configuration),
        sockets,
        failure,
        samplesAllocations: settings.maxWorkerMemory > 0 && this.samplers.choose(child),
      },
      onMessage: (message) => {
        if (message.type === 'findings') this.examinations.take(child, message);
        else if (message.type === 'certificates') this.sendCertificates(child, certificates);
        else this.tell({ type: 'message', child, message });
      },
      onExit: (code, signal) => this.tell({ type: 'exit', child, code, signal }),
    });
    if (childProcess === undefined) return false;
    this.processes.set(child, childProcess);
    this.classes.set(child, settings.workerClass);
    noteForked(child, childProcess.pid);
    return true;
  }

  /** Now, and whenever they change. */
  private sendCertificates(child: Child, certificates: Certificates | undefined): void {
    if (certificates === undefined || this.renewals.has(child)) return;
    const send = (files: TlsFiles) => this.send(child, { type: 'certificates', files });
    this.renewals.set(child, certificates.subscribe(send));
    send(certificates.files);
  }

  send(child: Child, message: MasterMessage): void {
    this.processes.get(child)?.send(message);
  }

  /** Called while it has its old number. */
  renumber(child: Child, worker: number): void {
    this.counters.noteRenumbered(child, worker);
    this.send(child, { type: 'renumbered', worker });
  }

  sendAll(message: MasterMessage): void {
    for (const childProcess of this.processes.values()) childProcess.send(message);
  }

  /** The answer is a message of the watchdog's. */
  question(child: Child): void {
    this.processes.get(child)?.sendToWatchdog({ type: 'report', isLast: child.state === 'retiring' });
  }

  /** Its main thread is about to be silent, for a known reason. */
  excuse(child: Child, ms: number): void {
    this.processes.get(child)?.sendToWatchdog({ type: 'excuse', ms });
  }

  /**
   * Asks a worker's watchdog, which answers while the main thread is blocked too.
   * @throws Error where there is no answer
   */
  examine(child: Child, question: Question, waitMs?: number): Promise<Findings> {
    const process = this.processes.get(child);
    return this.examinations.ask(child, question, (order) => process?.sendToWatchdog(order), waitMs);
  }

  /** @returns the child that has sampled what a child allocates; undefined if none has */
  samplerOf(child: Child): Child | undefined {
    return this.samplers.of(child);
  }

  kill(child: Child): void {
    this.processes.get(child)?.kill();
  }

  /** The first error is the cause of the others. */
  noteBootError(child: Child, error: ErrorReport): void {
    if (!this.bootErrors.has(child)) this.bootErrors.set(child, error);
  }

  /** Why it has not booted yet. @returns whether that is the first report of its generation */
  noteWaits(child: Child, awaited: Awaited): boolean {
    if (awaited.isGuess === true && this.waits.has(child)) return false;
    const isNews = ![...this.waits.keys()].some(({ generation }) => generation === child.generation);
    this.waits.set(child, awaited);
    // Its code has returned.
    this.hangs.forget(child);
    return isNews;
  }

  /** The error that escaped its app. */
  noteCrash(child: Child, error: ErrorReport): void {
    this.crashes.set(child, error);
  }

  /** Called at every turn of the loop. */
  checkMemory(now: number): void {
    this.memoryKills.check(now);
  }

  /** Removes a child that has exited, and returns all that is known of its end. */
  reap(child: Child, code: number | null, signal: NodeJS.Signals | null): Reaped {
    const bootError = this.bootErrors.get(child);
    const crash = this.crashes.get(child);
    this.crashes.delete(child);
    const isForeignKill = signal === 'SIGKILL' && child.state !== 'killed';
    const memoryKill = isForeignKill ? this.memoryKills.take() : undefined;
    this.processes.delete(child);
    this.renewals.get(child)?.();
    this.renewals.delete(child);
    this.bootErrors.delete(child);
    const answered = this.hangs.answered(child);
    const { why, stack } = this.waits.get(child) ?? {};
    const slowBoot = { waits: why, stack: this.hangs.stackOf(child) ?? stack };
    this.waits.delete(child);
    this.hangs.forget(child);
    this.examinations.forget(child);
    this.samplers.forget(child);
    const workerClass = this.classes.get(child);
    this.classes.delete(child);
    const exit = {
      code,
      signal,
      hasBootError: bootError !== undefined,
      isMemoryKill: memoryKill !== undefined,
      isForkFailure: child.pid === undefined,
    };
    const durationsMs = answered.map(({ ms }) => ms);
    const unavailable = workerClass === undefined ? undefined : { workerClass, durationsMs };
    return { exit, bootError, slowBoot, crash, memoryKill, unavailable, answered };
  }
}

export interface Reaped {
  readonly exit: Exit;
  /** What the worker itself reported. */
  readonly bootError: ErrorReport | undefined;
  /** What is known if it has not become ready. */
  readonly slowBoot: SlowBoot;
  /** The error that escaped its app before it left. */
  readonly crash: ErrorReport | undefined;
  readonly memoryKill: MemoryKill | undefined;
  /** Clients that its watchdog has answered with a 503. */
  readonly unavailable: Unavailable | undefined;
  readonly answered: readonly AnsweredRequest[];
}
