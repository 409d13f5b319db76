/**
 * A client's connection, and the only owner of its wire. Bytes go to the parser; requests go to the handler, one at a
 * time, in order; answers go out. It refuses to know what a request means.
 *
 * While an answer is under way, or waits for the client to take it, pipelined bytes wait here, and beyond a bound it is not
 * read: the client's own buffers are the queue.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { inFreshContext } from '../context.ts';
import type { End, Ends } from '../ends.ts';
import { ClientGone, HttpError, overdueAnswer, timeoutError } from '../errors.ts';
import { type Attachment, Exchange, type Transport, type Tunnel, type TunnelEvents } from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import { defaultTimeouts, departureMs, largeBodyBytes, maxDrainBytes } from '../limits.ts';
import { checkDeadline } from '../overdue.ts';
import { openWire } from '../wire/open-wire.ts';
import type { Incoming, Wire, WireEvents } from '../wire/wire.ts';
import { H1Answer } from './answer.ts';
import { Departing, type Deserted } from './departing.ts';
import type { Host, Waiting, Worth } from './host.ts';
import { IncomingBody } from './incoming-body.ts';
import { Outgoing, type OutgoingEvents } from './outgoing.ts';
import { RequestParser, type RequestSink } from './parser.ts';
import { WireTunnel } from './tunnel.ts';
import { Unread } from './unread.ts';
import { type Phase, Waits } from './waits.ts';

export class Connection implements RequestSink, WireEvents, OutgoingEvents, Transport, Waiting, Deserted {
  readonly ends: Ends;
  readonly wire: Wire;
  readonly outgoing: Outgoing;
  readonly answer: H1Answer;
  readonly waits: Waits;
  attachment: Attachment | undefined = undefined;
  /** Whether the client has ended, but requests that came before wait for their answers. */
  isEndWaiting = false;

  private readonly server: Host;
  private readonly parser: RequestParser;
  private readonly body = new IncomingBody();
  private exchange: Exchange | undefined = undefined;
  /** It is answered, while the app still reads its body. */
  private answered: Exchange | undefined = undefined;
  /** A head that the parser has just read. */
  private arrived: RequestHead | undefined = undefined;
  /** Whether the current request has come in whole; true between requests. */
  private isRequestComplete = true;
  private unread: Unread | undefined = undefined;
  /** Whether the next request was sent ahead of the answer to the one before, and whether the current one was. */
  private isBehind = false;
  private isPipelined = false;
  private hasClientEnded = false;
  /** It has, and may yet be answered. */
  private departing: Departing | undefined = undefined;
  /** It has left before an answer was complete: those to pipelined requests behind it go nowhere either. */
  private isMute = false;
  private isClosing = false;
  /** No request is read behind this one. */
  private isLast = false;
  private requests = 0;
  /** Who has the connection after an upgrade. */
  private tunnel: TunnelEvents | undefined = undefined;
  private upgraded: Exchange | undefined = undefined;

  /** @param open makes the wire; tests make one up */
  constructor(server: Host, incoming: Incoming, remote: End, open = openWire) {
    this.server = server;
    this.ends = { local: server.local, remote, scheme: server.scheme };
    this.parser = new RequestParser(server.limits, this);
    this.waits = new Waits(server);
    this.wire = open(incoming, this);
    this.outgoing = new Outgoing(this.wire, this, server.heldAnswerBytes);
    this.answer = new H1Answer(this.outgoing);
  }

  get phase(): Phase {
    return this.waits.phase;
  }

  get deadline(): number {
    return this.waits.deadline;
  }

  get waitingSince(): number {
    return this.waits.since;
  }

  /** The request that is being answered. */
  get running(): Exchange | undefined {
    return this.exchange;
  }

  get isServerDraining(): boolean {
    return this.server.isDraining;
  }

  isAnswering(exchange: Exchange): boolean {
    return this.exchange === exchange && !this.isClosing;
  }

  // Bytes in.

  nextBuffer(): Buffer {
    const isBody = this.exchange !== undefined && !this.isRequestComplete;
    return this.body.nextBuffer(isBody && this.parser.bodyRemaining >= largeBodyBytes);
  }

  takeBytes(bytes: Buffer, length: number): void {
    if (this.isClosing) return this.waits.prolongLinger();
    if (this.tunnel !== undefined) return this.passThrough(this.tunnel, Buffer.from(bytes.subarray(0, length)));
    if (this.unread !== undefined) return this.keep(this.unread, bytes.subarray(0, length));
    if (this.exchange === undefined && this.parser.isIdle) this.isBehind = false;
    this.consume(bytes, 0, length);
  }

  private passThrough(tunnel: TunnelEvents, bytes: Buffer): void {
    this.upgraded!.receivedBytes += bytes.length;
    tunnel.takeBytes(bytes);
  }

  private consume(bytes: Buffer, start: number, end: number): void {
    const { parser, outgoing } = this;
    let position = start;
    let current = this.exchange;
    outgoing.isHolding = true;
    try {
      while (position < end && !this.isClosing && !this.mustWait) {
        position = parser.feed(bytes, position, end);
        if (this.arrived !== undefined) current = this.begin(this.arrived);
        else this.passBody();
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.body.drop();
      this.refuse(error);
    } finally {
      outgoing.isHolding = false;
    }
    if (this.isDone) return this.closeAfterLast(current?.head, position === end);
    outgoing.flush();
    // For later. The client's end would not be seen behind it, so the connection is read on, within bounds.
    if (position < end && !this.isClosing) {
      this.unread = new Unread();
      this.keep(this.unread, bytes.subarray(position, end));
    }
    if (this.isEndWaiting) this.takeEnd();
    else this.updatePhase();
  }

  private keep(unread: Unread, bytes: Buffer): void {
    unread.add(bytes);
    if (unread.isFull) this.wire.pause();
  }

  private takeUnread(): Buffer | undefined {
    const { unread } = this;
    this.unread = undefined;
    return unread?.join();
  }

  /** Whether what follows has to wait for the answer to this request, or for the client to take what it was sent. */
  private get mustWait(): boolean {
    return this.isDone || (this.isRequestComplete && (this.exchange !== undefined || this.outgoing.isBackedUp));
  }

  /** Whether the last answer is complete. */
  private get isDone(): boolean {
    return this.isLast && this.exchange === undefined;
  }

  takeEnd(): void {
    this.isEndWaiting = this.unread !== undefined && !this.isClosing;
    this.hasClientEnded = !this.isEndWaiting;
    if (this.isClosing) return this.outgoing.watchStallAnew();
    if (this.tunnel !== undefined) return this.depart().beginTunnel(this.tunnel);
    this.attachment?.takeEnd?.();
    if (this.exchange !== undefined && this.isRequestComplete) this.depart().begin(this.exchange);
    else if (this.isEndWaiting) this.updatePhase();
    else if (this.parser.isInHead || !this.isRequestComplete)
      this.refuse(new HttpError(400, 'the request ended too early'));
    else this.close();
  }

  private depart(): Departing {
    this.departing = new Departing(this);
    return this.departing;
  }

  private endDeparture(): void {
    this.departing?.stop();
    this.departing = undefined;
  }

  noteEndHeard(exchange: Exchange, isOver: boolean): void {
    if (this.exchange === exchange) this.departing?.noteHeard(exchange, isOver);
  }

  goOnMute(exchange: Exchange, reason: Error): void {
    this.isMute = true;
    // Each has read by then what came of its body.
    setImmediate(() => {
      if (!this.isAnswering(exchange)) return;
      this.exchange = undefined;
      this.abandon(exchange, reason);
      this.proceed();
    });
  }

  abandon(exchange: Exchange, reason: Error): void {
    exchange.abort(reason);
    this.server.noteLeft(exchange);
  }

  get stallMs(): number {
    const { bodyMs } = this.server.timeouts;
    if (!this.hasClientEnded && !this.isEndWaiting) return bodyMs;
    // What is incomplete anyway is not worth more. Nor is one that may have left, when the worker is to leave.
    const isHurried = this.exchange !== undefined || this.tunnel !== undefined || this.server.isDraining;
    return isHurried ? departureMs : bodyMs || defaultTimeouts.bodyMs;
  }

  noteWritten(): void {
    this.departing?.renew();
  }

  takeStall(): void {
    this.reset();
  }

  takeDrain(): void {
    this.outgoing.noteDrained();
    this.departing?.renew();
    if (this.tunnel !== undefined) return this.tunnel.takeDrain();
    if (this.exchange !== undefined) this.exchange.onDrain?.();
    else if (!this.isClosing) this.proceed();
  }

  // From the parser.

  onHead(head: RequestHead): void {
    this.isRequestComplete = false;
    this.arrived = head;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.body.add(bytes, start, end);
  }

  onEnd(): void {
    this.passBody();
    this.isRequestComplete = true;
    (this.exchange ?? this.answered)?.endBody();
    this.answered = undefined;
  }

  private passBody(): void {
    const taker = this.exchange ?? (this.answered?.isBodyPending === true ? this.answered : undefined);
    if (!this.body.pass(taker)) this.close();
  }

  private begin(head: RequestHead): Exchange {
    const { server } = this;
    const { requestMs } = server.timeouts;
    const isTimed = requestMs !== 0 || server.observers.isWatched;
    const exchange = new Exchange(head, this, isTimed ? performance.now() : server.now);
    this.watch(exchange);
    if (this.isMute) exchange.mute();
    if (requestMs !== 0) exchange.deadline = exchange.startedAt + requestMs;
    this.arrived = undefined;
    this.exchange = exchange;
    this.isPipelined = this.isBehind;
    this.isBehind = true;
    this.body.begin();
    const isApart = ++this.requests > 1 && this.wire.isMarked;
    exchange.settled = (isApart ? inFreshContext(() => server.handle(exchange)) : server.handle(exchange)) ?? undefined;
    return exchange;
  }

  private watch(exchange: Exchange): void {
    if (this.server.observers.isWatched) exchange.observers = this.server.observers;
  }

  // To the exchange.

  get requestIdHeader(): string {
    return this.server.requestIdHeader;
  }

  get pendingBytes(): number {
    return this.outgoing.pendingBytes;
  }

  whenTaken(callback: (error?: Error) => void): void {
    this.outgoing.whenTaken(callback);
  }

  retract(): boolean {
    return this.outgoing.retract();
  }

  pauseBody(): void {
    this.wire.pause();
    this.updatePhase();
  }

  resumeBody(): void {
    if (this.wire.isPaused && this.unread?.isFull !== true) this.wire.resume();
    this.updatePhase();
  }

  /** Asked when the head is made. */
  mayPersist(exchange: Exchange): boolean {
    this.outgoing.markAnswer();
    if (!exchange.head.isKeepAlive || this.server.isDraining || this.isClosing) return false;
    if (this.hasClientEnded || this.isLast || this.server.timeouts.keepAliveMs === 0) return false;
    if (this.isRequestComplete) return true;
    // Without a 100 Continue the client may send its body or not: where the next request begins cannot be known.
    if (exchange.isAwaitingContinue) return false;
    return exchange.head.contentLength <= maxDrainBytes;
  }

  finish(exchange: Exchange): void {
    this.exchange = undefined;
    this.endDeparture();
    this.body.drain(exchange.unreadBytes);
    this.server.countRequest(exchange);
    this.isLast ||= !exchange.persists || this.hasClientEnded;
    if (!this.isLast && !this.isRequestComplete && exchange.isBodyPending) this.answered = exchange;
    else exchange.loseBody();
    if (!this.isLast) this.proceed();
    // While requests are read, `consume` goes on: only there is it known whether more lies behind this one.
    else if (!this.outgoing.isHolding) this.closeAfterLast(exchange.head, this.unread === undefined);
  }

  /** Goes on to the next request, unless it must wait. */
  private proceed(): void {
    if (this.isDone) return this.close();
    if (this.mustWait) return this.updatePhase();
    if (this.wire.isPaused) this.wire.resume();
    if (this.outgoing.isHolding) return;
    const unread = this.takeUnread();
    if (unread !== undefined) inFreshContext(() => this.consume(unread, 0, unread.length));
    else this.updatePhase();
  }

  /**
   * A reset could overtake the answers before this one, which are complete, where they may still be on their way. Then the
   * plain end must do: in HTTP/1.1 it shows that this answer is not complete (RFC 9112 §8).
   */
  cut(): void {
    const { exchange } = this;
    if (exchange !== undefined) exchange.outcome = 'cut';
    if (exchange === undefined || !this.isPipelined || exchange.minorVersion === 0) return this.reset();
    exchange.mute();
    this.exchange = undefined;
    setImmediate(() => exchange.abort(new ClientGone('the answer was cut')));
    this.close();
  }

  private reset(): void {
    this.isClosing = true;
    this.outgoing.flush();
    this.wire.cut();
  }

  hangUp(answered?: Exchange): void {
    if (this.exchange === undefined) this.close();
    else if (answered !== undefined && answered !== this.exchange) this.isLast = true;
    // Behind a plain end, an answer whose end is that of the connection would look complete.
    else if (this.isPipelined || this.exchange.framing === 'close') this.cut();
    else {
      this.exchange.outcome = 'cut';
      this.isClosing = true;
      this.outgoing.flush();
      this.wire.destroy();
    }
  }

  extendDeadline(exchange: Exchange, ms: number): void {
    if (exchange.deadline !== 0 && !exchange.isOverdue) exchange.deadline += ms;
  }

  logFailure(exchange: Exchange, error: unknown): void {
    this.server.onFailure(exchange, error);
  }

  /** Not one byte of what follows is read as a request: it belongs to the other protocol. */
  takeOver(exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const rest = this.takeUnread() ?? Buffer.alloc(0);
    this.exchange = undefined;
    this.tunnel = events;
    this.upgraded = exchange;
    const { observers } = exchange;
    exchange.observers = undefined;
    this.waits.begin('tunnel');
    this.server.countRequest(exchange);
    exchange.outcome = 'upgraded';
    exchange.observers = observers;
    this.endDeparture();
    if (this.hasClientEnded || this.isEndWaiting) process.nextTick(() => this.depart().beginTunnel(events));
    return { tunnel: new WireTunnel(this.wire, exchange, () => this.noteWritten()), rest };
  }

  /** After an upgrade: the process is about to end. */
  sayFarewell(): void {
    this.tunnel?.takeFarewell();
  }

  /** The process is about to end. */
  tellUnfinished(): void {
    const { exchange, upgraded } = this;
    if (exchange !== undefined && !exchange.isEnded) exchange.outcome = 'cut';
    exchange?.tellObservers();
    upgraded?.tellObservers();
  }

  // The end.

  /** Answers a request that breaks the rules. Not a byte of what follows it is read as a request. */
  private refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const exchange = this.exchange;
    // Its answer went out before all of its body came in: it gets no second one.
    if (this.isMute || (exchange === undefined && !this.isRequestComplete)) return this.close();
    this.isClosing = true;
    if (exchange === undefined) {
      const broken = new Exchange(this.parser.brokenHead, this, performance.now());
      broken.outcome = 'refused';
      this.watch(broken);
      this.exchange = broken;
      broken.answer(error);
      return;
    }
    // The head was fine and the app is at work on it: it is told that this is of no use any more.
    if (exchange.isStarted) this.cut();
    else {
      const substitute = exchange.replace(reason instanceof ClientGone ? 'refused' : 'overdue');
      exchange.abort(reason);
      this.exchange = substitute;
      substitute.answer(error);
    }
  }

  /**
   * After the last answer. A client that announced this end with a request that has no body sends nothing more (RFC 9112
   * §9.6): if nothing has come by now, and the kernel has all of the answer, there is nothing to linger for. nginx does the
   * same; it saves a quarter of what a connection costs.
   */
  private closeAfterLast(head: RequestHead | undefined, isAllRead: boolean): void {
    this.outgoing.flush();
    const isBodiless = head?.method === 'GET' || head?.method === 'HEAD';
    // While its body still comes, closing would be a reset, and the answer could be lost.
    const isLast = isBodiless && !head.isKeepAlive && isAllRead && this.isRequestComplete;
    if (isLast && this.wire.pendingBytes === 0) this.destroy();
    else this.close();
  }

  /** Flushes, says that nothing more comes, and stays for the client's own end or a short while. */
  close(): void {
    this.isClosing = true;
    this.unread = undefined;
    this.loseBody();
    if (this.phase === 'closed') return;
    this.outgoing.flush();
    if (this.phase !== 'linger') this.server.onLastRequest?.(this);
    this.waits.begin('linger');
    this.noteWritten();
    if (this.wire.pendingBytes > 0) this.outgoing.watchStall();
    // Closing a socket that still has unread bytes resets it, and the answer may never be read: go on reading.
    this.wire.end(() => {
      this.attachment?.takeFinish?.();
      this.waits.limitLinger();
    });
    this.wire.resume();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.wire.destroy();
  }

  /** What is lost if this connection has to make room for another; undefined: an answer to somebody who waits for it. */
  get worth(): Worth | undefined {
    if (this.phase === 'idle') return 'connection';
    if (this.phase === 'head') return 'head';
    if (this.departing?.isWaiting === true) return 'departing';
    // Until all of its answer is with the kernel, it has no deadline.
    return this.phase === 'linger' && this.deadline !== 0 ? 'nothing' : undefined;
  }

  /** Ends for want of room, unless it has become worth more by now. */
  makeRoom(): void {
    const { worth } = this;
    if (worth === 'nothing') this.destroy();
    else if (worth === 'connection') this.close();
    else if (worth === 'departing') this.departing?.giveUp();
    else if (worth === 'head')
      this.refuse(new HttpError(408, 'the request head took too long for a server that is full'));
  }

  /** From the server's sweep: the deadline has passed. */
  expire(): void {
    if (this.phase === 'head') this.refuse(new HttpError(408, 'the request head took too long'));
    else if (this.phase === 'body') this.refuse(new HttpError(408, 'the request body took too long'));
    else if (this.phase === 'idle') this.close();
    // Its answer is complete, and may still be on its way to a slow reader: a reset would throw away what the kernel holds.
    else if (this.phase === 'linger') this.destroy();
    else this.reset();
  }

  /** From the server's sweep: looks whether the current request is late. @returns when to look again */
  checkRequest(now: number): number {
    const { exchange, server } = this;
    return checkDeadline(exchange, now, (ms) =>
      server.onTimeout(exchange!, ms, () => {
        if (this.exchange === exchange && !this.isClosing) this.refuse(overdueAnswer(), timeoutError());
      }),
    );
  }

  private loseBody(): void {
    const { answered } = this;
    this.answered = undefined;
    answered?.loseBody();
  }

  takeClose(): void {
    this.loseBody();
    this.endDeparture();
    if (this.phase !== 'linger') this.server.onLastRequest?.(this);
    this.waits.begin('closed');
    this.isClosing = true;
    this.server.forget(this);
    if (this.exchange !== undefined) this.abandon(this.exchange, new ClientGone('the client closed the connection'));
    this.exchange = undefined;
    this.upgraded?.tellObservers();
    this.attachment?.takeClose();
  }

  /** The worker is to leave. */
  beginDrain(): void {
    this.updatePhase();
    if (this.hasClientEnded) this.outgoing.watchStallAnew();
  }

  /** Sets the deadline of what is waited for now. */
  updatePhase(): void {
    if (this.isClosing || this.tunnel !== undefined) return;
    const { exchange, waits } = this;
    const isFirst = this.requests === 0;
    if (!this.isRequestComplete && !this.wire.isPaused && exchange?.isAwaitingContinue !== true) waits.beginBody();
    else if (exchange !== undefined || this.outgoing.isBackedUp) waits.begin('answer');
    else if (this.parser.isInHead) waits.beginHead(isFirst);
    else waits.beginIdle(isFirst);
  }
}
