/**
 * A client's connection, and the only owner of its wire. Bytes go to the parser; requests go to the handler, one at a
 * time, in order; answers go out. It refuses to know what a request means.
 *
 * While an answer is under way, or waits for the client to take it, pipelined bytes wait here, and beyond a bound it is not
 * read: the client's own buffers are the queue.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { apart } from '../context.ts';
import { Departure } from '../departure.ts';
import { ClientGone, HttpError, overdueAnswer, timeoutError } from '../errors.ts';
import { type Attachment, type Bytes, type Carrier, Exchange, type Tunnel, type TunnelEvents } from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import {
  defaultTimeouts,
  departureMs,
  largeBodyBytes,
  lingerMs,
  maxDrainBytes,
  maxHeldBytes,
  maxLingerMs,
  maxQueuedBytes,
} from '../limits.ts';
import { checkDeadline } from '../overdue.ts';
import { isShared, readBuffer } from '../wire/buffers.ts';
import { openWire } from '../wire/open-wire.ts';
import type { Incoming, Wire, WireEvents } from '../wire/wire.ts';
import { Gathered } from './gathered.ts';
import type { Host, Peer, Waiting, Worth } from './host.ts';
import { RequestParser, type RequestSink } from './parser.ts';

/** What the connection waits for; each has its own deadline. */
export type Phase = 'idle' | 'head' | 'body' | 'answer' | 'linger' | 'tunnel' | 'closed';

export class Connection implements RequestSink, WireEvents, Carrier, Waiting {
  /** In the server's coarse clock, 0 for none. */
  deadline = 0;
  phase: Phase = 'idle';
  /** Its turn in the server's order of waiting: since when the client has been expected to act. */
  waitingSince: number;
  readonly remoteAddress: string;
  readonly remotePort: string;

  attachment: Attachment | undefined = undefined;

  private readonly server: Host;
  private readonly wire: Wire;
  private readonly parser: RequestParser;
  private readonly gathered = new Gathered();
  private exchange: Exchange | undefined = undefined;
  /** It is answered, while the app still reads its body. */
  private answered: Exchange | undefined = undefined;
  /** Whether the current request has come in whole; true between requests. */
  private isRequestComplete = true;
  /** Bytes of an unread body thrown away since its answer was complete. */
  private drainedBytes = 0;
  /** Pipelined bytes that wait for the current answer. */
  private rest: Buffer[] | undefined = undefined;
  private restBytes = 0;
  /** Text held back while the parser runs, so that pipelined answers share a write. */
  private held = '';
  private isConsuming = false;
  /** Where the current answer begins in the text held back; -1 once something of it may be on the wire. */
  private answerStart = -1;
  /** Whether the next request was sent ahead of the answer to the one before, and whether the current one was. */
  private isBehind = false;
  private isPipelined = false;
  /** Of the request that was the last, if it was answered while the parser ran. */
  private lastHead: RequestHead | undefined = undefined;
  /** The client has not taken what it was sent: it is offered no further answer until it has. */
  private isBackedUp = false;
  private hasClientEnded = false;
  /** It has, but requests that came before wait for their answers. */
  private isEndWaiting = false;
  /** It has, and may yet be answered. */
  private departure: Departure | undefined = undefined;
  /** It has left before an answer was complete: those to pipelined requests behind it go nowhere either. */
  private isMute = false;
  private isClosing = false;
  /** When it is closed at the latest, once all is said. */
  private lingerEnd = 0;
  /** The app wants no request behind this one. */
  private isLast = false;
  private requests = 0;
  /** Who has the connection after an upgrade. */
  private tunnel: TunnelEvents | undefined = undefined;
  /** Where the next read goes, and whether a piece of it was given to the app. */
  private buffer: Buffer = readBuffer(false);
  private isBufferTaken = false;

  constructor(server: Host, incoming: Incoming, peer: Peer) {
    this.server = server;
    this.remoteAddress = peer.address;
    this.remotePort = peer.port;
    this.parser = new RequestParser(server.limits, this);
    this.wire = openWire(incoming, this);
    this.waitingSince = server.waitOrder.next();
    // A client's first chance to send a head begins now.
    this.deadline = server.deadlineIn(server.timeouts.headerMs);
  }

  get localAddress(): string {
    return this.server.localAddress;
  }

  get localPort(): string {
    return this.server.localPort;
  }

  /** The request that is being answered. */
  get running(): Exchange | undefined {
    return this.exchange;
  }

  // Bytes in.

  takeBytes(bytes: Buffer, length: number): void {
    if (this.isClosing) return this.keepLingering();
    if (this.tunnel !== undefined) return this.tunnel.takeBytes(Buffer.from(bytes.subarray(0, length)));
    if (this.rest !== undefined) return this.keep(bytes.subarray(0, length));
    if (this.exchange === undefined && this.parser.isIdle) this.isBehind = false;
    this.consume(bytes, 0, length);
  }

  /**
   * The memory of the next read. A large body is read into buffers of its own, which go to the app without a copy: 1.3
   * times the uploads per second.
   */
  nextBuffer(): Buffer {
    const isLarge =
      this.exchange !== undefined && !this.isRequestComplete && this.parser.bodyRemaining >= largeBodyBytes;
    if (!isLarge) this.buffer = readBuffer(false);
    else if (this.isBufferTaken || isShared(this.buffer)) this.buffer = readBuffer(true);
    this.isBufferTaken = false;
    return this.buffer;
  }

  private consume(bytes: Buffer, start: number, end: number): void {
    let position = start;
    this.isConsuming = true;
    try {
      while (position < end && !this.isClosing && !this.mustWait) {
        position = this.parser.feed(bytes, position, end);
        this.passBody();
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      // Of a body that is broken, nobody wants the part before.
      this.gathered.take();
      this.refuse(error);
    } finally {
      this.isConsuming = false;
    }
    if (this.lastHead !== undefined) return this.part(this.lastHead, position === end);
    this.flush();
    if (position < end && !this.isClosing) {
      this.rest = [];
      this.restBytes = 0;
      this.keep(bytes.subarray(position, end));
    }
    if (this.isEndWaiting) this.takeEnd();
    else this.updatePhase();
  }

  /** For later. The client's end would not be seen behind it, so the connection is read on, within bounds. */
  private keep(bytes: Buffer): void {
    this.rest!.push(isShared(bytes) ? Buffer.from(bytes) : bytes);
    this.restBytes += bytes.length;
    if (this.restBytes >= maxQueuedBytes) this.wire.pause();
  }

  private takeRest(): Buffer | undefined {
    const { rest } = this;
    this.rest = undefined;
    return rest?.length === 1 ? rest[0] : rest && Buffer.concat(rest);
  }

  /** Whether the next request has to wait for the answer to this one, or for the client to take what it was sent. */
  private get mustWait(): boolean {
    return this.isRequestComplete && (this.exchange !== undefined || this.isBackedUp);
  }

  takeEnd(): void {
    this.isEndWaiting = this.rest !== undefined && !this.isClosing;
    this.hasClientEnded = !this.isEndWaiting;
    if (this.isClosing) return this.watchDeparted();
    if (this.tunnel !== undefined) return this.endTunnel(this.tunnel);
    this.attachment?.takeEnd?.();
    if (this.exchange !== undefined && this.isRequestComplete) this.depart(this.exchange);
    else if (this.isEndWaiting) this.updatePhase();
    else if (this.parser.isInHead || !this.isRequestComplete)
      this.refuse(new HttpError(400, 'the request ended too early'));
    else this.close();
  }

  /** The client has closed its half, and its request is not answered yet. */
  private depart(exchange: Exchange): void {
    const reason = halfClosed();
    if (!exchange.endsWithClient) {
      exchange.leave(reason);
      // Unless that has brought the answer.
      if (this.exchange !== exchange || this.isClosing) return;
      this.departure = new Departure(() => this.giveUp(exchange));
      this.waitingSince = this.server.waitOrder.next();
      return this.watchDeparted();
    }
    this.endWithClient(exchange, reason);
  }

  noteEndHeard(exchange: Exchange, isOver: boolean): void {
    if (this.exchange !== exchange || this.departure === undefined) return;
    if (isOver) this.endWithClient(exchange, exchange.leaveReason ?? halfClosed());
    else this.renewDeparture();
  }

  /** For the app, its client has left. */
  private endWithClient(exchange: Exchange, reason: Error): void {
    this.endDeparture();
    exchange.mute();
    exchange.leave(reason);
    if (!this.isEndWaiting) {
      this.close();
      return this.watchDeparted();
    }
    // What came whole takes effect, though no answer to it can be sent: the handlers run that wait for their turn.
    this.isMute = true;
    // Each has read by then what came of its body.
    setImmediate(() => {
      if (this.exchange !== exchange || this.isClosing) return;
      this.exchange = undefined;
      this.abandon(exchange, reason);
      this.proceed();
    });
  }

  /** The app has written nothing for as long as it may after its client's end. */
  private giveUp(exchange: Exchange): void {
    if (this.exchange !== exchange || this.isClosing) return;
    // Slowly, but the client takes what the app waits to go on from; or the app is computing, and knows of nothing.
    const isDeaf = exchange.isDeaf?.() === true && !this.server.isDraining;
    if (isDeaf || this.wire.pendingBytes > 0) return this.departure?.renew();
    this.giveUpNow(exchange);
  }

  private giveUpNow(exchange: Exchange): void {
    this.endDeparture();
    this.abandon(exchange, halfClosed());
    // Where the connection's end is the body's, only a reset tells a client that it has not had all of it.
    if (exchange.isStarted && exchange.minorVersion === 0) this.cut();
    else this.close();
  }

  /** The app has written something, or the client has taken something. */
  private renewDeparture(): void {
    if (this.departure === undefined) return;
    this.departure.renew();
    this.waitingSince = this.server.waitOrder.next();
  }

  private abandon(exchange: Exchange, reason: Error): void {
    exchange.abort(reason);
    this.server.noteLeft(exchange);
  }

  /** The same after an upgrade: it may still be written to, and read from no more. */
  private endTunnel(tunnel: TunnelEvents): void {
    tunnel.takeEnd();
    this.waitingSince = this.server.waitOrder.next();
    this.departure = new Departure(() => {
      this.watchDeparted();
      if (this.wire.pendingBytes > 0) this.departure?.renew();
      else this.wire.end();
    });
  }

  private watchDeparted(): void {
    if (this.wire.pendingBytes === 0 || this.phase === 'closed') return;
    this.wire.watchStall(0);
    this.wire.watchStall(this.stallMs, () => this.reset());
  }

  /** How long a client may take nothing of what it is sent. */
  private get stallMs(): number {
    const { bodyMs } = this.server.timeouts;
    if (!this.hasClientEnded && !this.isEndWaiting) return bodyMs;
    // What is incomplete anyway is not worth more. Nor is one that may have left, when the worker is to leave.
    const isHurried = this.exchange !== undefined || this.tunnel !== undefined || this.server.isDraining;
    return isHurried ? departureMs : bodyMs || defaultTimeouts.bodyMs;
  }

  // From the parser.

  onHead(head: RequestHead): void {
    this.isRequestComplete = false;
    this.drainedBytes = 0;
    this.requests++;
    const { server } = this;
    const { requestMs } = server.timeouts;
    const exchange = new Exchange(head, this, requestMs === 0 ? server.now : performance.now());
    if (this.isMute) exchange.mute();
    if (requestMs !== 0) exchange.deadline = exchange.startedAt + requestMs;
    this.exchange = exchange;
    this.isPipelined = this.isBehind;
    this.isBehind = true;
    const isApart = this.requests > 1 && this.wire.isMarked;
    exchange.settled = (isApart ? apart(() => server.handle(exchange)) : server.handle(exchange)) ?? undefined;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.gathered.add(bytes, start, end);
  }

  private passBody(): void {
    const bytes = this.gathered.take();
    if (bytes === undefined) return;
    const taker = this.exchange ?? (this.answered?.isBodyPending === true ? this.answered : undefined);
    if (taker !== undefined) {
      // A small piece would keep a large buffer alive.
      const isKept = !isShared(bytes) && bytes.length * 4 >= bytes.buffer.byteLength;
      if (isKept) this.isBufferTaken = true;
      try {
        taker.takeBody(isKept ? bytes : Buffer.from(bytes));
      } catch (error) {
        // The app's, and nobody catches it; but not here, where it would lose what else came in this read.
        setImmediate(() => {
          throw error;
        });
      }
    } else {
      this.drainedBytes += bytes.length;
      if (this.drainedBytes > maxDrainBytes) this.close();
    }
  }

  onEnd(): void {
    this.passBody();
    this.isRequestComplete = true;
    (this.exchange ?? this.answered)?.endBody();
    this.answered = undefined;
  }

  // To the exchange.

  sendText(text: string): boolean {
    if (!this.isConsuming) return this.watch(this.wire.write(text));
    this.held += text;
    return this.held.length < maxHeldBytes || this.flush();
  }

  sendBytes(head: string, bytes: Bytes, tail: string): boolean {
    const prefix = this.held + head;
    this.held = '';
    this.answerStart = -1;
    return this.watch(this.wire.writeTogether(prefix, bytes, tail));
  }

  /**
   * A client that takes nothing of what it is sent for the length of the body timeout is cut.
   * @returns whether the app may go on
   */
  private watch(isTaking: boolean): boolean {
    this.renewDeparture();
    if (isTaking) return true;
    // What the kernel took at once is no more than a large write.
    if (this.wire.pendingBytes > 0) this.isBackedUp = true;
    this.wire.watchStall(this.stallMs, () => this.reset());
    return !this.wire.isDestroyed && this.wire.pendingBytes < this.server.heldAnswerBytes;
  }

  get pendingBytes(): number {
    return this.held.length + this.wire.pendingBytes;
  }

  whenTaken(callback: (error?: Error) => void): void {
    this.flush();
    this.wire.whenTaken(callback);
  }

  pauseBody(): void {
    this.wire.pause();
    this.updatePhase();
  }

  resumeBody(): void {
    if (this.wire.isPaused && (this.rest === undefined || this.restBytes < maxQueuedBytes)) this.wire.resume();
    this.updatePhase();
  }

  /** Asked when the head is made. */
  mayPersist(exchange: Exchange): boolean {
    this.answerStart = this.isConsuming ? this.held.length : -1;
    if (!exchange.head.isKeepAlive || this.server.isDraining || this.isClosing || this.isOver) return false;
    if (this.server.timeouts.keepAliveMs === 0) return false;
    if (this.isRequestComplete) return true;
    // Without a 100 Continue the client may send its body or not: where the next request begins cannot be known.
    if (exchange.isAwaitingContinue) return false;
    return exchange.head.contentLength <= maxDrainBytes;
  }

  private get isOver(): boolean {
    return this.hasClientEnded || this.isLast;
  }

  finish(exchange: Exchange): void {
    this.exchange = undefined;
    this.endDeparture();
    this.drainedBytes += exchange.unreadBytes;
    this.server.countRequest(exchange);
    const isOver = !exchange.persists || this.isOver;
    if (!isOver && !this.isRequestComplete && exchange.isBodyPending) this.answered = exchange;
    else exchange.loseBody();
    if (isOver) {
      // While the parser runs it cannot be told whether more lies behind this request.
      if (!this.isConsuming) return this.part(exchange.head, this.rest === undefined);
      this.isClosing = true;
      this.lastHead = exchange.head;
      return;
    }
    this.proceed();
  }

  /** Goes on to the next request, unless it must wait. */
  private proceed(): void {
    if (this.mustWait) return this.updatePhase();
    if (this.wire.isPaused) this.wire.resume();
    if (this.isConsuming) return;
    const rest = this.takeRest();
    if (rest !== undefined) apart(() => this.consume(rest, 0, rest.length));
    else this.updatePhase();
  }

  retract(): boolean {
    if (this.answerStart === -1) return false;
    this.held = this.held.slice(0, this.answerStart);
    this.answerStart = -1;
    return true;
  }

  /**
   * A reset could overtake the answers before this one, which are complete, where they may still be on their way. Then the
   * plain end must do: in HTTP/1.1 it shows that this answer is not complete (RFC 9112 §8).
   */
  cut(): void {
    const { exchange } = this;
    if (exchange === undefined || !this.isPipelined || exchange.minorVersion === 0) return this.reset();
    exchange.mute();
    this.exchange = undefined;
    setImmediate(() => exchange.abort(new ClientGone('the answer was cut')));
    this.close();
  }

  private reset(): void {
    this.isClosing = true;
    this.flush();
    this.wire.cut();
  }

  hangUp(answered?: Exchange): void {
    if (this.exchange === undefined) this.close();
    else if (answered !== undefined && answered !== this.exchange) this.isLast = true;
    else this.cut();
  }

  extendDeadline(exchange: Exchange, ms: number): void {
    if (exchange.deadline !== 0 && !exchange.isOverdue) exchange.deadline += ms;
  }

  logFailure(exchange: Exchange, error: unknown): void {
    this.server.onFailure(exchange, error);
  }

  /** Not one byte of what follows is read as a request: it belongs to the other protocol. */
  takeOver(exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const { wire } = this;
    const rest = this.takeRest() ?? Buffer.alloc(0);
    this.exchange = undefined;
    this.tunnel = events;
    this.phase = 'tunnel';
    this.deadline = 0;
    this.server.countRequest(exchange);
    const tunnel = {
      write: (bytes: Bytes) => {
        this.renewDeparture();
        return wire.writeTogether('', bytes, '');
      },
      pause: () => wire.pause(),
      resume: () => wire.resume(),
      end: () => wire.end(),
      destroy: () => wire.destroy(),
    };
    this.endDeparture();
    if (this.hasClientEnded || this.isEndWaiting) process.nextTick(() => this.endTunnel(events));
    return { tunnel, rest };
  }

  /** After an upgrade: the process is about to end. */
  sayFarewell(): void {
    this.tunnel?.takeFarewell();
  }

  // The end.

  /** Answers a request that breaks the rules. Not a byte of what follows it is read as a request. */
  private refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const exchange = this.exchange;
    // Its answer went out before all of its body came in: it gets no second one.
    if (this.isMute || (exchange === undefined && !this.isRequestComplete)) return this.close();
    this.isClosing = true;
    if (exchange === undefined) {
      const broken = new Exchange(this.parser.brokenHead, this, this.server.now);
      this.exchange = broken;
      broken.answer(error);
      return;
    }
    // The head was fine and the app is at work on it: it is told that this is of no use any more.
    if (exchange.isStarted) this.cut();
    else {
      const substitute = new Exchange(exchange.head, this, exchange.startedAt);
      substitute.onOver = exchange.onOver;
      exchange.onOver = undefined;
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
  private part({ isKeepAlive, method }: RequestHead, isAllRead: boolean): void {
    this.flush();
    // While its body still comes, closing would be a reset, and the answer could be lost.
    const isLast = !isKeepAlive && (method === 'GET' || method === 'HEAD') && isAllRead && this.isRequestComplete;
    if (isLast && this.wire.pendingBytes === 0) this.destroy();
    else this.close();
  }

  /** Flushes, says that nothing more comes, and stays for the client's own end or a short while. */
  close(): void {
    this.isClosing = true;
    this.rest = undefined;
    this.loseBody();
    if (this.phase === 'closed') return;
    this.flush();
    if (this.phase !== 'linger') this.server.onPart?.(this);
    this.phase = 'linger';
    this.deadline = 0;
    this.watch(this.wire.pendingBytes === 0);
    // Closing a socket that still has unread bytes resets it, and the answer may never be read: go on reading.
    this.wire.end(() => {
      this.attachment?.takeFinish?.();
      if (this.phase !== 'linger') return;
      this.deadline = this.server.deadlineIn(lingerMs);
      this.lingerEnd = this.server.deadlineIn(maxLingerMs);
      this.waitingSince = this.server.waitOrder.next();
    });
    this.wire.resume();
  }

  /** A client that goes on sending reads the answer afterwards, as likely as not. */
  private keepLingering(): void {
    const { server } = this;
    if (this.deadline === 0 || this.phase !== 'linger' || server.isDraining) return;
    this.deadline = Math.min(server.deadlineIn(lingerMs), this.lingerEnd);
    this.waitingSince = server.waitOrder.next();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.wire.destroy();
  }

  /** What is lost if this connection has to make room for another; undefined: an answer to somebody who waits for it. */
  get worth(): Worth | undefined {
    if (this.phase === 'idle') return 'connection';
    if (this.phase === 'head') return 'head';
    if (this.departure !== undefined) return 'departing';
    // Until all of its answer is with the kernel, it has no deadline.
    return this.phase === 'linger' && this.deadline !== 0 ? 'nothing' : undefined;
  }

  /** Ends for want of room, unless it has become worth more by now. */
  makeRoom(): void {
    const { worth } = this;
    if (worth === 'nothing') this.destroy();
    else if (worth === 'connection') this.close();
    else if (worth === 'departing' && this.exchange === undefined) this.wire.end();
    else if (worth === 'departing') this.giveUpNow(this.exchange!);
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

  takeDrain(): void {
    this.wire.watchStall(0);
    this.isBackedUp = false;
    this.renewDeparture();
    if (this.tunnel !== undefined) return this.tunnel.takeDrain();
    if (this.exchange !== undefined) this.exchange.onDrain?.();
    else if (!this.isClosing) this.proceed();
  }

  private loseBody(): void {
    const { answered } = this;
    this.answered = undefined;
    answered?.loseBody();
  }

  takeClose(): void {
    this.loseBody();
    this.endDeparture();
    if (this.phase !== 'linger') this.server.onPart?.(this);
    this.phase = 'closed';
    this.isClosing = true;
    this.deadline = 0;
    this.server.forget(this);
    if (this.exchange !== undefined) this.abandon(this.exchange, new ClientGone('the client closed the connection'));
    this.exchange = undefined;
    this.attachment?.takeClose();
  }

  private flush(): boolean {
    const text = this.held;
    if (text === '') return true;
    this.held = '';
    this.answerStart = -1;
    return this.watch(this.wire.write(text));
  }

  private endDeparture(): void {
    this.departure?.stop();
    this.departure = undefined;
  }

  /** The worker is to leave. */
  beginDrain(): void {
    this.updatePhase();
    if (this.hasClientEnded) this.watchDeparted();
  }

  /** Sets the deadline of what is waited for now. */
  updatePhase(): void {
    if (this.isClosing || this.tunnel !== undefined) return;
    const { server, exchange } = this;
    const { timeouts } = server;
    if (!this.isRequestComplete && !this.wire.isPaused && exchange?.isAwaitingContinue !== true) {
      this.phase = 'body';
      this.deadline = server.deadlineIn(timeouts.bodyMs);
    } else if (exchange !== undefined || this.isBackedUp) {
      this.phase = 'answer';
      this.deadline = 0;
    } else if (!this.parser.isInHead) {
      this.phase = 'idle';
      this.waitingSince = server.waitOrder.next();
      if (server.isDraining) this.deadline = server.deadlineIn(server.idleGraceMs);
      else if (this.requests > 0) this.deadline = server.deadlineIn(timeouts.keepAliveMs);
    } else if (this.phase !== 'head') {
      // Not renewed by further bytes: the whole head has one deadline. A first one has had it since the beginning, but for
      // a drain, which shortened it to what idle connections get.
      if (this.requests > 0 || server.isDraining) this.deadline = server.deadlineIn(timeouts.headerMs);
      this.phase = 'head';
      this.waitingSince = server.waitOrder.next();
    }
  }
}

function halfClosed(): ClientGone {
  return new ClientGone('the client closed the connection, or its half of it');
}
