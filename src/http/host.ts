/** What a connection needs of the server that it belongs to. */

import type { End, Scheme } from './ends.ts';
import type { Exchange } from './exchange.ts';
import type { Extras } from './extras.ts';
import type { Forwarding } from './forwarding/forwarding.ts';
import type { Workspaces } from './h1/workspace.ts';
import type { HeldAnswers } from './held-answers.ts';
import type { Limits, Timeouts } from './limits.ts';
import type { Observers } from './observers.ts';
import type { ShownFailure } from './transport.ts';
import type { AnswerClaims } from './wire/answer-claims.ts';

/**
 * @param ms since the request's head was read
 * @param end answers 504, or cuts the connection where the answer has begun
 */
export type OnTimeout = (exchange: Exchange, ms: number, end: () => void) => void;

export type ShowFailure = (exchange: Exchange, error: unknown) => ShownFailure;

/**
 * What is lost if a connection is closed to make room for another; from the least to the most. Those with the least go first.
 */
export type Worth = 'nothing' | 'connection' | 'departing' | 'head';

/** A connection that may be closed to make room for another. */
export interface Waiting {
  readonly phase: string;
  /** Undefined while a client waits for its answer, and once it is closed. */
  readonly worth: Worth | undefined;
  /** Its place in the server's `WaitOrder`. */
  readonly waitingSince: number;
  /** Closes it, unless it has become worth more by now. It may take a while until it has ended. */
  makeRoom(): void;
  destroy(): void;
}

/** Connections in the order in which they began to wait for their clients: a counter, as a clock costs 45 ns a request. */
export class WaitOrder {
  last = 0;

  next(): number {
    return ++this.last;
  }
}

export interface Host {
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** How many bytes of an answer are held for a slow client before the app has to wait. */
  readonly heldAnswerBytes: number;
  /** Counts what all connections hold, and allows more than that while there is room; undefined: never more. */
  readonly heldAnswers: HeldAnswers | undefined;
  /** The server's own end of its connections, and what they speak. */
  readonly local: End;
  readonly scheme: Scheme;
  /** The coarse clock: milliseconds, as of the last sweep. */
  readonly now: number;
  readonly waitOrder: WaitOrder;
  /** Where the watchdog finds which clients have had no byte of an answer. */
  readonly answerClaims: AnswerClaims | undefined;
  readonly observers: Observers;
  /** Reads what proxies say of a request; undefined if no peer is trusted. */
  readonly forwarding: Forwarding | undefined;
  readonly requestIdHeader: string;
  /** What the app takes beyond requests; undefined if it takes nothing. */
  readonly extras: Extras | undefined;
  /** For connections of HTTP/1.1. */
  readonly workspaces: Workspaces;
  readonly isDraining: boolean;
  /** What an idle connection gets while draining. */
  readonly idleGraceMs: number;
  /** Gets each request; must not throw. What it returns becomes `Exchange.settled`. */
  readonly handle: (exchange: Exchange) => void | Promise<void>;
  readonly onFailure: (exchange: Exchange, error: unknown, isLate?: boolean) => void;
  /** What a client sees of a failure; absent if it may not see internals. */
  readonly showFailure: ShowFailure | undefined;
  readonly onTimeout: OnTimeout;
  /** The connection will bring no further request. Called once for each. */
  readonly onLastRequest: ((connection: object) => void) | undefined;
  /** When something that may take `ms` from now is late; 0 (no limit) stays 0. */
  deadlineIn(ms: number): number;
  /** The request is answered, or its connection was given away. */
  countRequest(exchange: Exchange): void;
  /** Its client has left before it was answered. */
  noteLeft(exchange: Exchange): void;
  /** Work that goes on after an answer, and never rejects. */
  waitFor(work: Promise<void>): void;
  /** The connection speaks another protocol from now on, while the server drains. */
  noteUpgraded(connection: { sayFarewell(): boolean }): void;
  /** The connection has ended. */
  forget(connection: object): void;
}
