/** What clients of the control socket may read of the master, and change in it. Changes run in the master's loop. */

import type { Settings } from '../../config/settings.ts';
import { report } from '../../errors.ts';
import type { Findings, SnapshotEnd } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Children } from '../children/children.ts';
import type { Question } from '../children/examinations.ts';
import { nameOf } from '../children/hangs.ts';
import type { WorkerRequests } from '../children/running.ts';
import { type Origin, originFields } from '../commands.ts';
import { commandEvent, type MasterEvent } from '../events.ts';
import type { Generation } from '../generations/generation.ts';
import type { Generations } from '../generations/generations.ts';
import type { Inbox } from '../inbox.ts';
import type { CountersFile } from '../metrics/counters-file.ts';
import { type CountersSummary, summarize } from '../metrics/summary.ts';
import { noteExtended } from '../notes.ts';
import type { Overview } from '../overview.ts';
import { type Child, childrenOf, type Pool, silenceOf } from '../pool.ts';
import type { Status } from '../status.ts';
import { Control, type Controlled, type ReloadOutcome } from './control.ts';

/** How long a snapshot may block its worker: V8 writes about 50 MB a second. */
const snapshotMs = 600_000;

const origin: Origin = { from: 'control' };

/** Parts of the master. */
export interface SteeringParts {
  readonly pool: Pool;
  readonly children: Children;
  readonly generations: Generations;
  readonly counters: Pick<CountersFile, 'read'>;
  readonly inbox: Pick<Inbox<MasterEvent>, 'push'>;
  readonly overview: Pick<Overview, 'status' | 'requests'>;
  current(): Generation;
  reload(origin: Origin): void;
  scale(workers: number, origin: Origin): void;
}

export class Steering implements Controlled {
  private readonly parts: SteeringParts;
  private readonly control: Control;
  /** Told how the reload under way ends. */
  private reloadWaiters: ((outcome: ReloadOutcome) => void)[] = [];
  private readonly snapshotWaiters = new Map<Child, (end: SnapshotEnd) => void>();
  /** Set by a client since the last reload. */
  private logLevel: Settings['logLevel'] | undefined = undefined;

  /** @param isBeside whether another master, which started this one, goes on beside it */
  constructor(parts: SteeringParts, isBeside: boolean) {
    this.parts = parts;
    this.control = new Control(this, isBeside);
  }

  /** @throws ConfigError where the user has named the socket */
  open(): Promise<void> {
    return this.control.hold(this.parts.current().configuration.settings.controlSocket, this.log);
  }

  /** The master that started this one has gone. */
  promote(): Promise<void> {
    return this.control.promote(this.log);
  }

  close(): void {
    this.control.close();
  }

  // What happens in the master.

  /** A worker is ready. */
  introduce(child: Child): void {
    if (this.logLevel !== undefined) this.parts.children.send(child, { type: 'log_level', level: this.logLevel });
  }

  /** A reload has read the configuration: its log level holds again. */
  forgetLogLevel(): void {
    if (this.logLevel === undefined) return;
    this.logLevel = undefined;
    for (const { log, configuration } of this.parts.generations.all()) log.setLevel(configuration.settings.logLevel);
  }

  /** A worker has drained for a snapshot, and is blocked while it is written. */
  noteSnapshotBegins(child: Child): void {
    noteExtended(this.parts.pool, child, performance.now() + snapshotMs);
    this.parts.children.excuse(child, snapshotMs);
  }

  noteSnapshot(child: Child, end: SnapshotEnd): void {
    this.snapshotWaiters.get(child)?.(end);
    this.snapshotWaiters.delete(child);
  }

  /** It has exited. */
  forget(child: Child): void {
    this.noteSnapshot(child, {
      error: 'the worker ended before the snapshot: its requests took too long, or it was killed',
    });
  }

  /** @param error undefined where it has succeeded */
  noteReloadEnd(error: string | undefined): void {
    const { generation } = this.parts.pool;
    const outcome: ReloadOutcome = error === undefined ? { isGood: true, generation } : { isGood: false, error };
    for (const onEnd of this.reloadWaiters.splice(0)) onEnd(outcome);
    const { log } = this;
    this.open().catch((failure) => {
      log.say('error', { error: report(failure).message }, 'the control socket stays as it was');
    });
  }

  // For the clients.

  status(): Status {
    return this.parts.overview.status();
  }

  requests(): Promise<readonly WorkerRequests[]> {
    return this.parts.overview.requests();
  }

  counters(): CountersSummary {
    return summarize(this.parts.counters.read().own);
  }

  children(): readonly Child[] {
    return childrenOf(this.parts.pool);
  }

  examine(child: Child, question: Question, waitMs?: number): Promise<Findings> {
    return this.parts.children.examine(child, question, waitMs);
  }

  enqueue(act: () => void): void {
    this.parts.inbox.push({ type: 'control', act });
  }

  get isStopping(): boolean {
    return this.parts.pool.stopping !== undefined;
  }

  reload(onEnd: (outcome: ReloadOutcome) => void): void {
    this.reloadWaiters.push(onEnd);
    this.parts.reload(origin);
  }

  stop(): void {
    this.parts.inbox.push(commandEvent('stop', origin));
  }

  scale(workers: number): number {
    const { pool } = this.parts;
    const from = pool.least;
    this.parts.scale(workers, origin);
    return from;
  }

  setLogLevel(level: Settings['logLevel']): void {
    const { generations, children } = this.parts;
    const fields = { ...originFields(origin), logLevel: level };
    // Logged before the change: the new level may hide it.
    this.log.say('info', fields, 'log level changed until the next reload');
    this.logLevel = level;
    for (const { log } of generations.all()) log.setLevel(level);
    children.sendAll({ type: 'log_level', level });
  }

  snapshot(child: Child): Promise<SnapshotEnd> {
    if (child.state !== 'ready')
      return Promise.resolve({ error: `the worker is ${child.state}: a snapshot needs one that is ready` });
    if (silenceOf(child, performance.now()) > 0)
      return Promise.resolve({
        error: 'the worker is unresponsive: it cannot finish its requests, which a snapshot waits for',
      });
    if (this.snapshotWaiters.has(child)) return Promise.resolve({ error: 'a snapshot of this worker is under way' });
    this.log.say('info', { ...originFields(origin), ...nameOf(child) }, 'a heap snapshot was asked for');
    return new Promise((resolve) => {
      this.snapshotWaiters.set(child, resolve);
      this.parts.children.send(child, { type: 'snapshot' });
    });
  }

  kill(child: Child): void {
    const fields = { ...originFields(origin), ...nameOf(child), reason: 'killed' };
    this.log.event('warn', 'worker_recycled', fields, 'worker killed as asked');
    this.parts.children.kill(child);
  }

  private get log(): Logger {
    return this.parts.current().log;
  }
}
