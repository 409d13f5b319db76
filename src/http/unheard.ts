/**
 * A complete request whose client left before the app got it. The app runs it all the same, because it may change
 * something, and the answer is dropped. A request with a safe method (RFC 9110 §9.2.1) is not run.
 */

// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { Ends } from './ends.ts';
import { ClientGone } from './errors.ts';
import { Exchange, type Transport } from './exchange.ts';
import { H1Answer } from './h1/answer.ts';
import { departureMs } from './limits.ts';

/** @param reason why the client no longer waits; a client that tsgun has answered in place of the app does not count */
export function takesEffect({ head, isWhole }: Exchange, reason: Error | undefined): boolean {
  return reason instanceof ClientGone && isWhole && !head.isSafe;
}

/** The same request once more, for a connection that has ended. */
export function withoutClient(departed: Exchange): Exchange {
  const exchange = new Exchange(departed.head, new NoConnection(departed.transport), departed.startedAt);
  exchange.observers = departed.observers;
  exchange.outcome = 'unheard';
  departed.readBody({
    onData(bytes) {
      exchange.takeBody(bytes);
      return true;
    },
    onEnd: () => exchange.endBody(),
  });
  const reason = departed.goneReason ?? new ClientGone('the client closed the connection');
  exchange.leave(reason);
  setTimeout(() => exchange.abort(reason), departureMs).unref();
  return exchange;
}

class NoConnection implements Transport {
  readonly ends: Ends;
  readonly requestIdHeader: string;
  readonly pendingBytes = 1;
  readonly answer = new H1Answer({ sendText: () => true, sendBytes: () => true });
  private readonly before: Transport;

  constructor(before: Transport) {
    this.ends = before.ends;
    this.requestIdHeader = before.requestIdHeader;
    this.before = before;
  }

  whenTaken(callback: (error?: Error) => void): void {
    process.nextTick(callback, new ClientGone('the client left ahead of its answer'));
  }

  mayPersist(): boolean {
    return false;
  }

  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void {
    this.before.logFailure(exchange, error, isLate);
  }

  waitFor(work: Promise<void>): void {
    this.before.waitFor(work);
  }

  finish(exchange: Exchange): void {
    exchange.isLost = true;
    exchange.tellOver();
  }

  pauseBody(): void {}
  resumeBody(): void {}
  cut(): void {}
  hangUp(): void {}
  extendDeadline(): void {}
}
