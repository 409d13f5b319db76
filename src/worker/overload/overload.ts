/**
 * Refuses requests that would not be answered in time (`--shed auto`), early and at little cost, so that the others are. It refuses
 * those that have waited too long to be read, and those that come while so many are in progress that more would only wait.
 */

import type { Handler } from '../../app/handler.ts';
import type { Settings } from '../../config/settings.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Observers } from '../../http/observers.ts';
import type { WorkerOrder } from '../../ipc/order.ts';
import { every } from '../../ipc/ticks.ts';
import type { Logger } from '../../logger.ts';
import { decoded, matcher } from '../bulkheads.ts';
import type { WorkerName } from '../name.ts';
import { refuse } from '../refusal.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { Idleness } from './idleness.ts';
import { LoopTurns } from './loop-turns.ts';
import { QueueDelay } from './queue-delay.ts';
import { Routes } from './routes.ts';
import { WaitingConnections } from './waiting-connections.ts';

const lookMs = 50;
/** Fewer requests than this say little: then a look waits for more of them, up to `longestLookMs`. */
const fewRequests = 5;
const longestLookMs = 500;
/** One request stands for all that end within this time. */
const noteEveryMs = 1;
/** A request may wait for this many times the duration of one request, and always for `leastWaitMs`. */
const waitTimes = 1.5;
const leastWaitMs = 20;
/** A request in progress is late after this many times as long as usual. */
const lateTimes = 1.2;
/** The overload is over when nothing was refused for this long. */
const calmMs = 2000;

type Running = readonly { readonly method: string; readonly path: string; readonly ms: number }[];

export interface OverloadParts {
  readonly order: Pick<WorkerOrder, 'sockets' | 'settings'>;
  readonly name: WorkerName;
  readonly log: Logger;
  /** Asked to keep exact time. */
  readonly observers: Observers;
}

export class Overload {
  /** Requests that were refused. */
  private shed = 0;
  /** The requests in progress. Set before anything comes. */
  inProgress: () => Running = () => [];
  private readonly log: Logger;
  private readonly name: WorkerName;
  private readonly workerClass: Settings['workerClass'];
  private readonly workers: number;
  private readonly exceptions: readonly ((path: string) => boolean)[];
  private readonly turns = new LoopTurns();
  private readonly delay = new QueueDelay();
  private readonly routes = new Routes();
  private readonly limit: AdaptiveLimit;
  private readonly idleness: Idleness;
  private readonly waiting: WaitingConnections;
  /** Connections that were seen while others waited to be accepted: on these no request has waited for that. */
  private known = new WeakSet<object>();
  private running = 0;
  private mostRunning = 0;
  private completed = 0;
  private noted = 0;
  private actualMs = 0;
  private usualMs = 0;
  private notedAt = 0;
  private slowdown = 1;
  /** Of a request, smoothed. */
  private meanMs = 0;
  private lookedAt = performance.now();
  private shedAt = Number.NEGATIVE_INFINITY;
  private shedBefore = 0;
  private isOverloaded = false;

  constructor({ order, name, log, observers }: OverloadParts) {
    observers.keepTime();
    const { settings } = order;
    this.log = log;
    this.name = name;
    this.workerClass = settings.workerClass;
    this.workers = settings.workers;
    this.exceptions = settings.shedNever.map(matcher);
    const { workerClass, threads } = settings;
    this.limit = new AdaptiveLimit(workerClass === 'threaded' ? threads : 2);
    const capacity = { sync: 1, threaded: threads, async: Number.POSITIVE_INFINITY };
    this.idleness = new Idleness(capacity[workerClass]);
    this.waiting = new WaitingConnections(order.sockets);
    /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
    const tsgunLook = () => this.look(performance.now());
    every(lookMs, tsgunLook);
  }

  around(handle: Handler): Handler {
    return (exchange) => {
      if (this.mustRefuse(exchange)) return this.refuse(exchange);
      this.running++;
      if (this.running > this.mostRunning) this.mostRunning = this.running;
      this.turns.noteTaken();
      const { onOver, startedAt } = exchange;
      const period = this.idleness.begin(startedAt);
      exchange.onOver = (answered) => {
        this.noteOver(answered, period);
        onOver?.(answered);
      };
      return handle(exchange);
    };
  }

  private mustRefuse(exchange: Exchange): boolean {
    const { startedAt } = exchange;
    const isIdle = this.idleness.has(this.msPerRequest / 2, startedAt);
    const isLate = this.delay.note(this.waitOf(exchange), this.longestWaitMs, startedAt, isIdle);
    if (!isLate && this.running < this.limit.limit) return false;
    const path = decoded(exchange.head.path);
    return !this.exceptions.some((matches) => matches(path));
  }

  private get longestWaitMs(): number {
    return Math.max(leastWaitMs, this.msPerRequest * waitTimes);
  }

  /** How long a request keeps others of this worker waiting. */
  private get msPerRequest(): number {
    return this.workerClass === 'sync' ? this.meanMs : this.turns.msPerRequest;
  }

  private waitOf({ startedAt, transport }: Exchange): number {
    const inLoop = this.turns.waitOf(startedAt);
    if (this.workerClass !== 'sync') {
      if (inLoop < leastWaitMs / 2) return inLoop;
      const connection = transport.connection ?? transport;
      if (this.known.has(connection)) return inLoop;
      this.known.add(connection);
    }
    const ahead = this.waiting.count(startedAt) / this.workers;
    return inLoop + ahead * this.msPerRequest;
  }

  private refuse(exchange: Exchange): void {
    this.shed++;
    this.shedAt = exchange.startedAt;
    refuse(exchange, 'too many requests at the moment');
  }

  private noteOver({ head, startedAt, isGone }: Exchange, period: number): void {
    this.running--;
    this.completed++;
    const now = performance.now();
    this.idleness.end(period, now);
    if (now - this.notedAt < noteEveryMs || isGone) return;
    this.notedAt = now;
    const ms = now - startedAt;
    this.noted++;
    this.actualMs += ms;
    this.usualMs += this.routes.note(head.method, head.path, ms, this.limit.isCalm(this.slowdown), now);
    this.meanMs += (ms - this.meanMs) * 0.05;
  }

  private look(now: number): void {
    const ms = now - this.lookedAt;
    this.tell(now);
    this.delay.settle(now);
    if (this.completed < fewRequests && ms < longestLookMs) return;
    const { completed, running, mostRunning, routes } = this;
    this.slowdown = this.usualMs === 0 ? 1 : this.actualMs / this.usualMs;
    const factor = this.noted === 0 ? 0 : completed / this.noted;
    const late = running < 2 ? 0 : this.countLate();
    const times = { actualMs: this.actualMs * factor, usualMs: this.usualMs * factor };
    const growth = this.limit.look({ ms, completed, ...times, running, mostRunning, late });
    if (growth !== 1) routes.rescale(growth);
    Object.assign(this, { completed: 0, noted: 0, actualMs: 0, usualMs: 0, mostRunning: running, lookedAt: now });
  }

  private countLate(): number {
    return this.inProgress().filter(({ method, path, ms }) => this.routes.isLate(method, path, ms, lateTimes)).length;
  }

  private tell(now: number): void {
    const isOverloaded = now - this.shedAt < calmMs;
    if (isOverloaded === this.isOverloaded) return;
    this.isOverloaded = isOverloaded;
    const { limit } = this.limit;
    const figures = {
      running: this.running,
      limit: Number.isFinite(limit) ? limit : null,
      requestMs: Math.round(this.meanMs),
      shed: this.shed - this.shedBefore,
    };
    if (isOverloaded) {
      this.log.event(
        'warn',
        'overloaded',
        { ...this.name, state: 'entered', ...figures },
        'overloaded: requests are refused',
      );
      return;
    }
    this.shedBefore = this.shed;
    this.known = new WeakSet();
    this.log.event('info', 'overloaded', { ...this.name, state: 'left', ...figures }, 'no longer overloaded');
  }
}
