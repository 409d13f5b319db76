/**
 * What clients of the control socket can ask of the master. Reads are answered at once; a change goes through the queue, and is
 * answered when the loop has made it.
 */

import { milliseconds } from '../../config/durations.ts';
import type { ControlOrder } from '../../ipc/control.ts';
import type { Findings, SnapshotEnd } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { Question } from '../children/examinations.ts';
import type { WorkerRequests } from '../children/running.ts';
import type { CountersSummary } from '../metrics/summary.ts';
import { type Child, silenceOf } from '../pool.ts';
import type { Status } from '../status.ts';
import { Clients } from './clients.ts';
import { ControlSocket } from './socket.ts';

/** How a reload has ended. */
export type ReloadOutcome =
  | { readonly isGood: true; readonly generation: number }
  | { readonly isGood: false; readonly error: string };

/** What it needs of the master. */
export interface Controlled {
  status(): Status;
  requests(): Promise<readonly WorkerRequests[]>;
  counters(): CountersSummary;
  children(): readonly Child[];
  examine(child: Child, question: Question, waitMs?: number): Promise<Findings>;
  /** Runs in the loop. */
  enqueue(act: () => void): void;
  readonly isStopping: boolean;
  /** @param onEnd called once, when it has ended */
  reload(onEnd: (outcome: ReloadOutcome) => void): void;
  /** Through the queue. */
  stop(): void;
  /** @returns how many workers were wanted before */
  scale(workers: number): number;
  setLogLevel(level: (ControlOrder & { command: 'log-level' })['level']): void;
  /** The worker finishes its requests first, and is replaced. */
  snapshot(child: Child): Promise<SnapshotEnd>;
  kill(child: Child): void;
}

/** A stack comes within 200 ms. While native code runs none comes, which the watchdog knows after a second more. */
const stacksMs = 3500;

export class Control {
  private readonly master: Controlled;
  private readonly clients = new Clients((order) => this.obey(order));
  private readonly socket: ControlSocket;

  constructor(master: Controlled, isBeside: boolean) {
    this.master = master;
    this.socket = new ControlSocket(this.clients.serve, isBeside);
  }

  /** See `ControlSocket`. @throws ConfigError */
  hold(setting: string | false | undefined, log: Logger): Promise<void> {
    return this.socket.hold(setting, log);
  }

  promote(log: Logger): Promise<void> {
    return this.socket.promote(log);
  }

  close(): void {
    this.socket.close();
    this.clients.close();
  }

  private async obey(order: ControlOrder): Promise<unknown> {
    const { master } = this;
    const { command } = order;
    if (command === 'status') return this.status();
    if (command === 'requests') return master.requests();
    if (command === 'counters') return master.counters();
    if (command === 'stacks') return this.stacks(this.chosen(order.pid));
    if (command === 'profile') return this.profile(this.chosen(order.pid), milliseconds(order.seconds));
    if (command === 'snapshot') return this.snapshot(this.chosen(order.pid)[0]!);
    if (command === 'heap') return this.heap(this.chosen(order.pid)[0]!, milliseconds(order.seconds));
    return this.change(order);
  }

  /** Adds the running requests of unresponsive workers, whose beats cannot report them. */
  private async status(): Promise<object> {
    const status = this.master.status();
    if (!status.workers.some(({ unresponsive }) => unresponsive)) return status;
    const running = new Map((await this.master.requests()).map((each) => [each.worker, each]));
    const workers = status.workers.map((worker) => {
      const list = running.get(worker.worker);
      if (!worker.unresponsive || list === undefined || !list.isKnown) return worker;
      return { ...worker, running: list.requests.length + list.more, requestsRunning: list.requests.slice(0, 3) };
    });
    return { ...status, workers };
  }

  /** @throws Error that names the workers there are */
  private chosen(pid: number | undefined): Child[] {
    const children = this.master.children().filter((child) => child.pid !== undefined && child.state !== 'killed');
    const chosen = pid === undefined ? children : children.filter((child) => child.pid === pid);
    if (chosen.length > 0) return chosen;
    const known =
      children.length === 0 ? 'there is none now' : `there are ${children.map((child) => child.pid).join(', ')}`;
    throw new Error(pid === undefined ? 'there is no worker now' : `no worker has pid ${pid}: ${known}`);
  }

  private stacks(children: readonly Child[]): Promise<object[]> {
    return this.askEach(children, { type: 'stacks' }, stacksMs, (findings) =>
      'stacks' in findings ? { stacks: findings.stacks, requests: findings.requests } : undefined,
    );
  }

  private profile(children: readonly Child[], ms: number): Promise<object[]> {
    return this.askEach(children, { type: 'profile', ms }, undefined, (findings) =>
      'profiles' in findings ? { profiles: findings.profiles, missing: findings.missing } : undefined,
    );
  }

  private async snapshot(child: Child): Promise<object> {
    const { pid, worker } = child;
    const end = await this.master.snapshot(child);
    if (end.error !== undefined) throw new Error(`worker ${worker} (${pid}): ${end.error}`);
    return { pid, worker, path: end.path, bytes: end.bytes };
  }

  private async heap(child: Child, ms: number): Promise<object> {
    const [result] = await this.askEach([child], { type: 'heap', ms }, undefined, (findings) =>
      'heap' in findings ? { heap: findings.heap } : undefined,
    );
    return result!;
  }

  /** One that does not answer does not hold up the others. */
  private askEach(
    children: readonly Child[],
    question: Question,
    waitMs: number | undefined,
    pick: (findings: Findings) => object | undefined,
  ): Promise<object[]> {
    const now = performance.now();
    const asked = children.map(async (child) => {
      const { pid, worker, generation, state } = child;
      const silentMs = silenceOf(child, now);
      const about = { pid, worker, generation, state, unresponsive: silentMs > 0, silentMs };
      if (state === 'booting') return { ...about, error: 'it still boots: the log says what it waits for' };
      try {
        const findings = await this.master.examine(child, question, waitMs);
        const error = 'error' in findings ? findings.error : 'its watchdog sent an answer of another kind';
        return { ...about, ...(pick(findings) ?? { error }) };
      } catch (error) {
        return { ...about, error: (error as Error).message };
      }
    });
    return Promise.all(asked);
  }

  private change(order: ControlOrder): Promise<unknown> {
    const { master } = this;
    return new Promise((resolve, reject) => {
      const act = () => {
        if (order.command === 'stop') {
          master.stop();
          return resolve({ workers: master.children().length });
        }
        if (master.isStopping) throw new Error('the service is stopping');
        if (order.command === 'reload') {
          const isAwaited = order.wait === true;
          master.reload((outcome) => isAwaited && resolve(outcome));
          if (!isAwaited) resolve({});
        } else if (order.command === 'scale') {
          const from = master.scale(order.workers);
          resolve({ from, workers: order.workers });
        } else if (order.command === 'log-level') {
          master.setLogLevel(order.level);
          resolve({ level: order.level });
        } else if (order.command === 'kill') {
          const [child] = this.chosen(order.pid);
          master.kill(child!);
          resolve({ pid: child!.pid, worker: child!.worker });
        }
      };
      master.enqueue(() => {
        try {
          act();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }
}
