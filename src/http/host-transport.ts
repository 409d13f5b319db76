/**
 * What a connection of HTTP/1.1 and a stream of HTTP/2 have in common as transports of exchanges: how a request begins and is
 * late, and what they only pass on to their server.
 */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { AnswerSink } from './answer-sink.ts';
import type { Ends } from './ends.ts';
import { type HttpError, overdueAnswer, timeoutError } from './errors.ts';
import { Exchange, type Transport } from './exchange.ts';
import type { RequestHead } from './head.ts';
import type { Host } from './host.ts';
import { checkDeadline } from './overdue.ts';
import type { ShownFailure } from './transport.ts';

export abstract class HostTransport implements Transport {
  abstract readonly ends: Ends;
  abstract readonly answer: AnswerSink;
  abstract readonly pendingBytes: number;
  /** The request that is being answered. */
  exchange: Exchange | undefined = undefined;
  protected readonly host: Host;

  constructor(host: Host) {
    this.host = host;
  }

  abstract whenTaken(callback: (error?: Error) => void): void;
  abstract pauseBody(): void;
  abstract resumeBody(): void;
  abstract mayPersist(exchange: Exchange): boolean;
  abstract finish(exchange: Exchange): void;
  abstract cut(): void;
  abstract hangUp(answered?: Exchange): void;
  /** Answers in the app's place, or cuts the connection if the answer has begun. @param reason for the app */
  abstract refuse(error: HttpError, reason?: Error): void;
  /** Whether the app may still answer this one. */
  abstract isAnswering(exchange: Exchange): boolean;

  get requestIdHeader(): string {
    return this.host.requestIdHeader;
  }

  /** Begins a request whose head is complete. */
  protected open(head: RequestHead): Exchange {
    const { host } = this;
    const { requestMs } = host.timeouts;
    const isTimed = requestMs !== 0 || host.observers.isWatched;
    const exchange = new Exchange(head, this, isTimed ? performance.now() : host.now);
    this.watch(exchange);
    if (requestMs !== 0) exchange.deadline = exchange.startedAt + requestMs;
    return exchange;
  }

  /** Makes an exchange for a request whose head breaks the rules. */
  protected openBroken(head: RequestHead): Exchange {
    const exchange = new Exchange(head, this, performance.now());
    exchange.outcome = 'refused';
    this.watch(exchange);
    return exchange;
  }

  private watch(exchange: Exchange): void {
    const { observers } = this.host;
    if (!observers.isWatched) return;
    exchange.observers = observers;
    observers.onBegin?.(exchange);
  }

  /** From the server's sweep: checks whether the request is late. @returns when to check again */
  checkRequest(now: number): number {
    const { exchange, host } = this;
    return checkDeadline(exchange, now, (ms) =>
      host.onTimeout(exchange!, ms, () => {
        if (this.isAnswering(exchange!)) this.refuse(overdueAnswer(), timeoutError());
      }),
    );
  }

  /** The client has left. */
  abandon(exchange: Exchange, reason: Error): void {
    exchange.abort(reason);
    this.host.noteLeft(exchange);
  }

  extendDeadline(exchange: Exchange, ms: number): void {
    if (exchange.deadline !== 0 && !exchange.isOverdue) exchange.deadline += ms;
  }

  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void {
    this.host.onFailure(exchange, error, isLate);
  }

  showFailure(exchange: Exchange, error: unknown): ShownFailure | undefined {
    return this.host.showFailure?.(exchange, error);
  }

  waitFor(work: Promise<void>): void {
    this.host.waitFor(work);
  }

  /** The process is about to end. */
  tellUnfinished(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    if (!exchange.isEnded) exchange.outcome = 'cut';
    exchange.tellObservers();
  }
}
