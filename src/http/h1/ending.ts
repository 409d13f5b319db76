/**
 * How a connection ends: after the last answer, at a request that breaks the rules or is late, for lack of room, with its
 * client, or at once. The base of `Connection`, and not an object beside it, as there is one of these for each idle client.
 * An end must not cost a client an answer that was sent to it, nor make an incomplete answer look complete.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { ClientGone, HttpError } from '../errors.ts';
import type { Attachment, Exchange } from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import type { Worth } from '../host.ts';
import { HostTransport } from '../host-transport.ts';
import { defaultTimeouts, departureMs } from '../limits.ts';
import type { Wire } from '../wire/wire.ts';
import { Departing, type Deserted } from './departing.ts';
import type { Outgoing } from './outgoing.ts';
import type { WireTunnel } from './tunnel.ts';
import type { Waits } from './waits.ts';

export abstract class EndingConnection extends HostTransport implements Deserted {
  abstract readonly wire: Wire;
  abstract readonly outgoing: Outgoing;
  abstract readonly waits: Waits;
  attachment: Attachment | undefined = undefined;
  /** Whether the current request was sent ahead of the answer to the one before. */
  isPipelined = false;
  isClosing = false;
  /** No further request is read. */
  isLast = false;
  /** The client left before an answer was complete: the answers to pipelined requests behind it are dropped too. */
  isMute = false;
  /** Whether the client has closed its half, and requests that came before still wait for their answers. */
  isEndWaiting = false;
  /** Set while a client that has closed its half may still be answered. */
  departing: Departing | undefined = undefined;
  /** How the connection has failed, if it has. */
  private failure: Error | undefined = undefined;
  /** After an upgrade. */
  protected tunnel: WireTunnel | undefined = undefined;
  protected hasClientEnded = false;
  /** Whether the end of the connection marks the end of the last answer. */
  protected lastEndsWithIt = false;

  /** Whether the current request has come in whole; true between requests. */
  abstract readonly isRequestComplete: boolean;
  /** What is known of a head that breaks the rules. */
  protected abstract readonly brokenHead: RequestHead;
  /** Discards what has come, and what still comes. */
  abstract stopReading(): void;
  /** Sends what waits for the next write. */
  protected abstract flushHeld(): void;
  /** Goes on to the next request, unless it must wait. */
  abstract proceed(): void;

  get isServerDraining(): boolean {
    return this.host.isDraining;
  }

  isAnswering(exchange: Exchange): boolean {
    return this.exchange === exchange && !this.isClosing;
  }

  /** Answers a request that breaks the rules. Not a byte of what follows it is read as a request. */
  refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const { exchange } = this;
    // The answer was sent before the whole body came: there is no second one.
    if (this.isMute || (exchange === undefined && !this.isRequestComplete)) return this.close();
    this.isClosing = true;
    if (exchange === undefined) {
      const broken = this.openBroken(this.brokenHead);
      if (this.offerBroken(broken, error)) return;
      this.exchange = broken;
      broken.answer(error);
      return;
    }
    // The head was valid and the app runs: it hears that its answer is not needed.
    if (exchange.isStarted) this.cut();
    else {
      const isRefused = reason instanceof ClientGone;
      const substitute = exchange.replace(isRefused ? 'refused' : 'overdue');
      exchange.abort(reason);
      if (isRefused && this.offerBroken(substitute, error)) return;
      this.exchange = substitute;
      substitute.answer(error);
    }
  }

  /** Whether the app answers a request that breaks the rules. */
  private offerBroken(exchange: Exchange, error: HttpError): boolean {
    return this.host.extras?.takeBroken(exchange, error) === true;
  }

  /**
   * A reset could overtake complete answers before this one that are still on their way. Then the plain end must do: in
   * HTTP/1.1 it shows that this answer is not complete (RFC 9112 §8).
   */
  cut(): void {
    const { exchange } = this;
    if (exchange !== undefined) exchange.outcome = 'cut';
    if (exchange === undefined || !this.isPipelined || exchange.endsWithConnection) return this.reset();
    exchange.mute();
    this.exchange = undefined;
    setImmediate(() => exchange.abort(new ClientGone('the answer was cut')));
    this.close();
  }

  /** Ends the connection at once, after what waits to be written. */
  reset(): void {
    this.isClosing = true;
    this.flushHeld();
    this.wire.cut();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.wire.destroy();
  }

  takeFailure(error: Error): void {
    this.failure = error;
    this.attachment?.takeFailure?.(error);
  }

  /** The wire is closed, by either side. */
  takeClose(): void {
    this.stopReading();
    this.endDeparture();
    if (this.waits.phase !== 'linger') this.noteLastRequest();
    this.waits.begin('closed');
    this.isClosing = true;
    this.host.forget(this);
    const cause = this.failure && { cause: this.failure };
    if (this.exchange !== undefined)
      this.abandon(this.exchange, new ClientGone('the client closed the connection', cause));
    this.exchange = undefined;
    this.tunnel?.tellObservers();
    this.attachment?.takeClose();
  }

  /** The process is about to end. */
  override tellUnfinished(): void {
    super.tellUnfinished();
    this.tunnel?.tellObservers();
  }

  /** The process is about to end, and the system will send a FIN for it. */
  cutUnfinished(): void {
    const isBegun = this.exchange?.endsWithConnection === true;
    if (isBegun || (this.lastEndsWithIt && this.pendingBytes > 0)) this.reset();
  }

  /** The app has closed this connection: see `Transport`. */
  hangUp(answered?: Exchange): void {
    const { exchange } = this;
    if (exchange === undefined) this.close();
    else if (answered !== undefined && answered !== exchange) this.isLast = true;
    // After a plain end, an answer that ends with the connection would look complete.
    else if (this.isPipelined || exchange.endsWithConnection) this.cut();
    else {
      exchange.outcome = 'cut';
      this.isClosing = true;
      this.outgoing.flush();
      this.wire.destroy();
    }
  }

  /**
   * After the last answer. A client that announced this end with a request that has no body sends nothing more (RFC 9112
   * §9.6): if nothing has come by now, and the kernel has all of the answer, there is nothing to linger for. nginx does the
   * same; it saves a quarter of what a connection costs.
   */
  closeAfterLast(head: RequestHead | undefined, isAllRead: boolean): void {
    const { outgoing, wire, isRequestComplete } = this;
    outgoing.flush();
    const isBodiless = head?.method === 'GET' || head?.method === 'HEAD';
    // While its body still comes, closing would be a reset, and the answer could be lost.
    const isLast = isBodiless && !head.isKeepAlive && isAllRead && isRequestComplete;
    if (isLast && wire.pendingBytes === 0) wire.destroy();
    else this.close();
  }

  /** Sends what waits and a FIN, and stays open for the client's own end, or a short while. */
  close(): void {
    const { waits, wire } = this;
    this.isClosing = true;
    this.stopReading();
    if (waits.phase === 'closed') return;
    this.flushHeld();
    if (waits.phase !== 'linger') this.noteLastRequest();
    waits.begin('linger');
    this.departing?.renew();
    if (wire.pendingBytes > 0) this.outgoing.watchStall();
    // Closing a socket that still has unread bytes resets it, and the answer may never be read: go on reading.
    wire.end(() => {
      this.attachment?.takeFinish?.();
      waits.limitLinger();
    });
    wire.resume();
  }

  protected noteLastRequest(): void {
    this.host.onLastRequest?.(this);
  }

  // A client that closes its half before it has its answers.

  /** Amid a request. */
  protected endEarly(): void {
    const error = new HttpError(400, 'the request ended too early');
    const reason = new ClientGone(error.message, { cause: error });
    const { attachment, exchange } = this;
    if (attachment?.takeFailure === undefined) return this.refuse(error, reason);
    attachment.takeFailure(error);
    // The app hears of the connection's end before that of its request.
    setImmediate(() => {
      if (!this.isClosing) this.refuse(error, reason);
      // A listener to `clientError` that has taken the connection may answer later.
      if (exchange?.goneReason !== undefined && this.tunnel === undefined) attachment.takeClose();
    });
  }

  protected depart(): Departing {
    this.departing = new Departing(this);
    return this.departing;
  }

  protected endDeparture(): void {
    this.departing?.stop();
    this.departing = undefined;
  }

  noteEndHeard(exchange: Exchange, isOver: boolean): void {
    if (this.exchange === exchange) this.departing?.noteHeard(exchange, isOver);
  }

  /** How long the client may take nothing of what was sent. */
  get stallMs(): number {
    const { bodyMs } = this.host.timeouts;
    if (!this.hasClientEnded && !this.isEndWaiting) return bodyMs;
    // An answer that is not complete gets no more time. Nor does a client that may have left, if the worker is stopping.
    const isHurried = this.exchange !== undefined || this.tunnel !== undefined || this.host.isDraining;
    return isHurried ? departureMs : bodyMs || defaultTimeouts.bodyMs;
  }

  /** The client has taken nothing for `stallMs`. */
  takeStall(): void {
    this.reset();
  }

  // For the server.

  get isUpgraded(): boolean {
    return this.tunnel !== undefined;
  }

  /** After an upgrade: the server is about to end. @returns whether that is done */
  sayFarewell(): boolean {
    return this.tunnel?.events.takeFarewell() ?? true;
  }

  /**
   * What is lost if this connection has to make room for another. Undefined: a client would lose the answer that it waits
   * for.
   */
  get worth(): Worth | undefined {
    const { departing, waits } = this;
    if (waits.phase === 'idle') return 'connection';
    if (waits.phase === 'head') return 'head';
    if (departing?.isWaiting === true) return 'departing';
    // Until the kernel has all of its answer, it has no deadline.
    return waits.phase === 'linger' && waits.deadline !== 0 ? 'nothing' : undefined;
  }

  /** Closes the connection for lack of room, unless it is worth more by now. */
  makeRoom(): void {
    const { worth } = this;
    if (worth === 'nothing') this.wire.destroy();
    else if (worth === 'connection') this.close();
    else if (worth === 'departing') this.departing?.giveUp();
    else if (worth === 'head')
      this.refuse(new HttpError(408, 'the request head took too long for a server that is full'));
  }

  /** From the server's sweep: the deadline of what is waited for has passed. */
  expire(): void {
    const { waits, wire } = this;
    if (waits.phase === 'head') this.refuse(new HttpError(408, 'the request head took too long'));
    else if (waits.phase === 'body') this.refuse(new HttpError(408, 'the request body took too long'));
    else if (waits.phase === 'idle') this.close();
    // Its answer is complete, and may still be on its way to a slow reader: a reset would throw away what the kernel holds.
    else if (waits.phase === 'linger') wire.destroy();
    else this.reset();
  }
}
