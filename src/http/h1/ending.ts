/**
 * The end of a connection: after the last answer, at a request that breaks the rules or is late, for lack of room, or at once.
 * An end must not cost a client an answer that was sent to it, nor make an incomplete answer look complete.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { ClientGone, HttpError } from '../errors.ts';
import type { Attachment, Exchange } from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import type { Wire } from '../wire/wire.ts';
import type { Departing } from './departing.ts';
import type { Worth } from './host.ts';
import type { Outgoing } from './outgoing.ts';
import type { Waits } from './waits.ts';

/** What it needs of its connection. */
export interface Endable {
  readonly wire: Wire;
  readonly outgoing: Outgoing;
  readonly waits: Waits;
  readonly attachment: Attachment | undefined;
  readonly departing: Departing | undefined;
  /** Whether the answer to the next request goes nowhere. */
  readonly isMute: boolean;
  /** Whether the current request was sent ahead of the answer to the one before. */
  readonly isPipelined: boolean;
  /** Whether the current request has come in whole; true between requests. */
  readonly isRequestComplete: boolean;
  isClosing: boolean;
  isLast: boolean;
  /** The request that is being answered. */
  exchange: Exchange | undefined;
  /** Stands for a request whose head breaks the rules. */
  makeBroken(): Exchange;
  /** Whether the app answers such a one, by itself. */
  offerBroken(exchange: Exchange, error: HttpError): boolean;
  /** What has come and what still comes is for nobody. */
  stopReading(): void;
  noteLastRequest(): void;
}

export class Ending {
  private readonly connection: Endable;

  constructor(connection: Endable) {
    this.connection = connection;
  }

  /** Answers a request that breaks the rules. Not a byte of what follows it is read as a request. */
  refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const { connection } = this;
    const { exchange } = connection;
    // Its answer went out before its whole body came: it gets no second one.
    if (connection.isMute || (exchange === undefined && !connection.isRequestComplete)) return this.close();
    connection.isClosing = true;
    if (exchange === undefined) {
      const broken = connection.makeBroken();
      if (connection.offerBroken(broken, error)) return;
      connection.exchange = broken;
      broken.answer(error);
      return;
    }
    // The head was valid and the app runs: it is told that nobody needs its answer.
    if (exchange.isStarted) this.cut();
    else {
      const isRefused = reason instanceof ClientGone;
      const substitute = exchange.replace(isRefused ? 'refused' : 'overdue');
      exchange.abort(reason);
      if (isRefused && connection.offerBroken(substitute, error)) return;
      connection.exchange = substitute;
      substitute.answer(error);
    }
  }

  /**
   * A reset could overtake complete answers before this one that are still on their way. Then the plain end must do: in
   * HTTP/1.1 it shows that this answer is not complete (RFC 9112 §8).
   */
  cut(): void {
    const { connection } = this;
    const { exchange } = connection;
    if (exchange !== undefined) exchange.outcome = 'cut';
    if (exchange === undefined || !connection.isPipelined || exchange.endsWithConnection) return this.reset();
    exchange.mute();
    connection.exchange = undefined;
    setImmediate(() => exchange.abort(new ClientGone('the answer was cut')));
    this.close();
  }

  reset(): void {
    const { connection } = this;
    connection.isClosing = true;
    connection.outgoing.flush();
    connection.wire.cut();
  }

  /** The app has closed this connection: see `Transport`. */
  hangUp(answered: Exchange | undefined): void {
    const { connection } = this;
    const { exchange } = connection;
    if (exchange === undefined) this.close();
    else if (answered !== undefined && answered !== exchange) connection.isLast = true;
    // After a plain end, an answer that ends with the connection would look complete.
    else if (connection.isPipelined || exchange.endsWithConnection) this.cut();
    else {
      exchange.outcome = 'cut';
      connection.isClosing = true;
      connection.outgoing.flush();
      connection.wire.destroy();
    }
  }

  /**
   * After the last answer. A client that announced this end with a request that has no body sends nothing more (RFC 9112
   * §9.6): if nothing has come by now, and the kernel has all of the answer, there is nothing to linger for. nginx does the
   * same; it saves a quarter of what a connection costs.
   */
  closeAfterLast(head: RequestHead | undefined, isAllRead: boolean): void {
    const { outgoing, wire, isRequestComplete } = this.connection;
    outgoing.flush();
    const isBodiless = head?.method === 'GET' || head?.method === 'HEAD';
    // While its body still comes, closing would be a reset, and the answer could be lost.
    const isLast = isBodiless && !head.isKeepAlive && isAllRead && isRequestComplete;
    if (isLast && wire.pendingBytes === 0) wire.destroy();
    else this.close();
  }

  /** Sends what waits and a FIN, and stays open for the client's own end, or a short while. */
  close(): void {
    const { connection } = this;
    const { outgoing, waits, wire } = connection;
    connection.isClosing = true;
    connection.stopReading();
    if (waits.phase === 'closed') return;
    outgoing.flush();
    if (waits.phase !== 'linger') connection.noteLastRequest();
    waits.begin('linger');
    connection.departing?.renew();
    if (wire.pendingBytes > 0) outgoing.watchStall();
    // Closing a socket that still has unread bytes resets it, and the answer may never be read: go on reading.
    wire.end(() => {
      connection.attachment?.takeFinish?.();
      waits.limitLinger();
    });
    wire.resume();
  }

  /** What is lost if this connection has to make room for another; undefined: an answer to somebody who waits for it. */
  get worth(): Worth | undefined {
    const { departing, waits } = this.connection;
    if (waits.phase === 'idle') return 'connection';
    if (waits.phase === 'head') return 'head';
    if (departing?.isWaiting === true) return 'departing';
    // Until the kernel has all of its answer, it has no deadline.
    return waits.phase === 'linger' && waits.deadline !== 0 ? 'nothing' : undefined;
  }

  /** Closes the connection for lack of room, unless it is worth more by now. */
  makeRoom(): void {
    const { worth } = this;
    if (worth === 'nothing') this.connection.wire.destroy();
    else if (worth === 'connection') this.close();
    else if (worth === 'departing') this.connection.departing?.giveUp();
    else if (worth === 'head')
      this.refuse(new HttpError(408, 'the request head took too long for a server that is full'));
  }

  /** The deadline of what is waited for has passed. */
  expire(): void {
    const { waits, wire } = this.connection;
    if (waits.phase === 'head') this.refuse(new HttpError(408, 'the request head took too long'));
    else if (waits.phase === 'body') this.refuse(new HttpError(408, 'the request body took too long'));
    else if (waits.phase === 'idle') this.close();
    // Its answer is complete, and may still be on its way to a slow reader: a reset would throw away what the kernel holds.
    else if (waits.phase === 'linger') wire.destroy();
    else this.reset();
  }
}
