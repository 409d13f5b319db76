/**
 * The one place where code that observes requests subscribes: hooks, access logs, metrics. Each request that got as far as
 * its request line is reported once, however it ended. Without subscribers this costs nothing.
 */

// Not the globals, which an app may replace.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import type { Ends } from './ends.ts';
import type { Field } from './h1/writer.ts';
import type { RequestHead } from './head.ts';

/**
 * How a request ended:
 * - `answered`: all of the answer is out;
 * - `cut`: the connection was ended amid the answer, as the app failed or asked for it;
 * - `aborted`: the client left, or took nothing for too long, before it had all of the answer;
 * - `refused`: answered without the app, or in its stead, as the request broke a rule, a limit, or came too slowly;
 * - `overdue`: answered 504 in the app's stead;
 * - `upgraded`: its connection spoke another protocol, and has ended;
 * - `unheard`: the app ran for a client that had left. It was reported as `aborted` before.
 */
export type Outcome = 'answered' | 'cut' | 'aborted' | 'refused' | 'overdue' | 'upgraded' | 'unheard';

/** What a request takes of its worker. */
export interface Cost {
  /** CPU time so far, and in all once the request is over; undefined if it cannot be told from that of other requests. */
  readonly cpuMs: number | undefined;
  /** As `cpuMs`, for a caller that has read the clock: each reading shows in the figures of a small request. Absent once it is over. */
  cpuMsAt?(now: number): number | undefined;
  /** The request is over. @param now as `performance.now()` says it */
  end?(now: number): void;
}

/** What is known of a request at its end: an exchange. */
export interface Observed {
  readonly head: RequestHead;
  /** Empty if there was no answer. */
  readonly status: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly startedAt: number;
  readonly queueMs: number | undefined;
  readonly cost: Cost | undefined;
  readonly ends: Ends;
  readonly responseFields: readonly Field[];
}

/** A request that is over. Times are of `performance.now()`, exact to the microsecond. */
export class RequestRecord {
  readonly head: RequestHead;
  readonly outcome: Outcome;
  /** Undefined if there was no answer. */
  readonly status: number | undefined;
  /** Of the bodies, without what frames them. After an upgrade: all that was sent, and received. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly startedAt: number;
  readonly durationMs: number;
  /** How long it waited for a thread; undefined in classes without threads. */
  readonly queueMs: number | undefined;
  /** CPU time that it took; undefined if it is not measured, or cannot be told from that of other requests. */
  readonly cpuMs: number | undefined;
  readonly ends: Ends;
  readonly #exchange: Observed;

  constructor(exchange: Observed, outcome: Outcome, endedAt: number) {
    const { head, status, sentBytes, receivedBytes, startedAt, queueMs, cost, ends } = exchange;
    this.head = head;
    this.outcome = outcome;
    this.status = statusCode(status);
    this.sentBytes = sentBytes;
    this.receivedBytes = receivedBytes;
    this.startedAt = startedAt;
    this.durationMs = endedAt - startedAt;
    this.queueMs = queueMs;
    this.cpuMs = cost?.cpuMs;
    this.ends = ends;
    this.#exchange = exchange;
  }

  /** Empty if the request line could not be read. */
  get method(): string {
    return this.head.method;
  }

  /** As sent. */
  get target(): string {
    return this.head.target;
  }

  get version(): '1.0' | '1.1' | '2.0' {
    return this.head.version;
  }

  /** In order of arrival. */
  get requestFields(): Field[] {
    const { names, values } = this.head;
    return names.map(({ raw }, index) => [raw, values[index]!]);
  }

  /** As the app gave them, without the fields that the server adds. */
  get responseFields(): readonly Field[] {
    return this.#exchange.responseFields;
  }
}

const zero = 0x30;

/** @param status begins with three digits; empty where there was no answer */
export function statusCode(status: string): number | undefined {
  if (status === '') return undefined;
  return (status.charCodeAt(0) - zero) * 100 + (status.charCodeAt(1) - zero) * 10 + status.charCodeAt(2) - zero;
}

/** A raw connection that has ended, with its bytes in both directions. */
export interface ConnectionRecord {
  /** `cut`: by this side, ahead of its end; `aborted`: by the client. */
  readonly outcome: 'answered' | 'cut' | 'aborted';
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly durationMs: number;
  readonly ends: Ends;
}

/** Hears of each request, and costs less than a record. Must not throw. */
export interface RequestCounter {
  /** One has begun. */
  begin?(exchange: Observed): void;
  /** One that has begun is not to be counted. */
  disregard?(exchange: Observed): void;
  count(exchange: Observed, outcome: Outcome, endedAt: number): void;
}

export type OnOver = (record: RequestRecord) => void;

export class Observers {
  /** Read for every request. */
  isWatched = false;
  /** Whether answers say how long they took. */
  isTimed = false;
  /** Requests that were refused for overload. */
  shed = 0;
  /** Bytes received, and bytes sent, by all connections: heads, and what frames bodies, included. */
  readonly traffic = new Float64Array(2);
  private readonly counters: RequestCounter[] = [];
  /** Called for each request that begins; undefined if none of the counters needs it. */
  onBegin: ((exchange: Observed) => void) | undefined = undefined;
  onDisregard: ((exchange: Observed) => void) | undefined = undefined;
  private readonly listeners: OnOver[] = [];
  private readonly connectionListeners: ((record: ConnectionRecord) => void)[] = [];

  /** Calls back for each request that begins from now on, when it is over. */
  onOver(listener: OnOver): void {
    this.listeners.push(listener);
    this.isWatched = true;
  }

  /** From now on the start of each request is measured exactly. */
  keepTime(): void {
    this.isWatched = true;
  }

  /** Each answer says how long it took, to the client. */
  timeAnswers(): void {
    this.isTimed = true;
    this.isWatched = true;
  }

  /** Counts each request that begins from now on, when it is over. */
  addCounter(counter: RequestCounter): void {
    this.counters.push(counter);
    this.isWatched = true;
    const { onBegin, onDisregard } = this;
    if (counter.begin !== undefined)
      this.onBegin = (exchange) => {
        onBegin?.(exchange);
        counter.begin?.(exchange);
      };
    if (counter.disregard !== undefined)
      this.onDisregard = (exchange) => {
        onDisregard?.(exchange);
        counter.disregard?.(exchange);
      };
  }

  /** Calls back for each raw connection that has ended. */
  onConnectionOver(listener: (record: ConnectionRecord) => void): void {
    this.connectionListeners.push(listener);
  }

  tellConnection(record: ConnectionRecord): void {
    for (const listener of this.connectionListeners) listener(record);
  }

  tell(exchange: Observed, outcome: Outcome, endedAt = performance.now()): void {
    const { counters } = this;
    for (let index = 0; index < counters.length; index++) counters[index]!.count(exchange, outcome, endedAt);
    if (this.listeners.length === 0) return;
    const record = new RequestRecord(exchange, outcome, endedAt);
    for (const listener of this.listeners)
      try {
        listener(record);
      } catch (error) {
        // It escapes later: thrown here, it would break the connection.
        setImmediate(() => {
          throw error;
        });
      }
  }
}
