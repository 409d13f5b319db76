/**
 * A client's connection, and the only owner of its wire: it knows whose turn it is. Requests come from the input and go to
 * the handler, one at a time, in order; answers go out. It refuses to know what a request means.
 */

// Not the globals, which an app may replace.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { ConnectionHandle } from '../../node/handles.ts';
import { inFreshContext } from '../context.ts';
import type { End, Ends } from '../ends.ts';
import { ClientGone, HttpError, overdueAnswer, timeoutError } from '../errors.ts';
import {
  type Attachment,
  Exchange,
  type ShownFailure,
  type Transport,
  type Tunnel,
  type TunnelEvents,
} from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import type { HeldShare } from '../held-answers.ts';
import { defaultTimeouts, departureMs, maxDrainBytes } from '../limits.ts';
import type { Member } from '../member-list.ts';
import { checkDeadline } from '../overdue.ts';
import type { Proxied } from '../proxy-protocol/proxied.ts';
import { type OpenWire, openWire } from '../wire/open-wire.ts';
import type { Incoming, Wire } from '../wire/wire.ts';
import { H1Answer } from './answer.ts';
import { Departing, type Deserted } from './departing.ts';
import { type Endable, Ending } from './ending.ts';
import type { Host, Waiting, Worth } from './host.ts';
import { Input, type Readable } from './input.ts';
import { Outgoing, type OutgoingEvents } from './outgoing.ts';
import { timingLine } from './timing.ts';
import { BrokenTunnel, WireTunnel } from './tunnel.ts';
import { type Phase, Waits } from './waits.ts';

export class Connection implements Proxied, OutgoingEvents, Transport, Waiting, Deserted, Endable, Readable, Member {
  place = -1;
  /** Replaced where a PROXY header says whose connection it is. */
  ends: Ends;
  readonly share: HeldShare | undefined;
  readonly wire: Wire;
  readonly outgoing: Outgoing;
  readonly answer: H1Answer;
  readonly waits: Waits;
  readonly ending: Ending;
  attachment: Attachment | undefined = undefined;
  /** Whether the client has ended, but requests that came before wait for their answers. */
  isEndWaiting = false;
  /** The request that is being answered. */
  exchange: Exchange | undefined = undefined;
  /** Whether it was sent ahead of the answer to the one before. */
  isPipelined = false;
  isClosing = false;
  /** No request is read behind this one. */
  isLast = false;
  /** The client has left before an answer was complete: those to pipelined requests behind it go nowhere either. */
  isMute = false;
  /** The client has ended, and may yet be answered. */
  departing: Departing | undefined = undefined;

  private readonly server: Host;
  private readonly input: Input;
  private hasClientEnded = false;
  /** How the connection has failed, if it has. */
  private failure: Error | undefined = undefined;
  /** Whether the end of the last answer is that of the connection. */
  private lastEndsWithIt = false;
  private requests = 0;
  /** Who has the connection after an upgrade. */
  private tunnel: TunnelEvents | undefined = undefined;
  private upgraded: Exchange | undefined = undefined;

  /** @param open makes the wire; tests make one up */
  constructor(server: Host, incoming: Incoming, remote: End, open: OpenWire = openWire) {
    this.server = server;
    this.ends = { local: server.local, remote, scheme: server.scheme };
    this.input = new Input(this, server.limits, server.extras);
    this.ending = new Ending(this);
    this.waits = new Waits(server);
    this.share = server.heldAnswers?.open();
    this.wire = open(incoming, this);
    const { answerClaims } = server;
    if (answerClaims !== undefined && incoming instanceof ConnectionHandle)
      this.wire.claimIn?.(answerClaims, incoming.fd);
    this.outgoing = new Outgoing(this.wire, this, server.heldAnswerBytes, server.heldAnswers);
    this.answer = new H1Answer(this.outgoing, true, server.observers.isTimed ? () => this.timing : undefined);
  }

  get phase(): Phase {
    return this.waits.phase;
  }

  get descriptor(): number | undefined {
    return this.wire.claim?.descriptor;
  }

  get asyncId(): number | undefined {
    return this.wire.asyncId;
  }

  /** The requests that are being answered. */
  get exchanges(): readonly Exchange[] {
    return this.exchange === undefined ? [] : [this.exchange];
  }

  /** Its client speaks another version of HTTP, and is another's from now on. */
  giveUp(): void {
    this.waits.begin('closed');
    this.isClosing = true;
  }

  get deadline(): number {
    return this.waits.deadline;
  }

  get waitingSince(): number {
    return this.waits.since;
  }

  get isServerDraining(): boolean {
    return this.server.isDraining;
  }

  isAnswering(exchange: Exchange): boolean {
    return this.exchange === exchange && !this.isClosing;
  }

  private get timing(): string {
    return this.exchange === undefined ? '' : timingLine(this.exchange);
  }

  // Bytes in.

  nextBuffer(): Buffer {
    return this.input.nextBuffer();
  }

  takeBytes(bytes: Buffer, length: number): void {
    this.server.observers.traffic[0]! += length;
    if (this.isClosing) return this.waits.prolongLinger();
    if (this.tunnel !== undefined) return this.passThrough(this.tunnel, Buffer.from(bytes.subarray(0, length)));
    this.input.take(bytes, length);
  }

  private passThrough(tunnel: TunnelEvents, bytes: Buffer): void {
    this.upgraded!.receivedBytes += bytes.length;
    tunnel.takeBytes(bytes);
  }

  /** Whether what follows has to wait for the answer to this request, or for the client to take what it was sent. */
  get mustWait(): boolean {
    return this.isDone || (this.isRequestComplete && (this.exchange !== undefined || this.outgoing.isBackedUp));
  }

  /** Whether the last answer is complete. */
  get isDone(): boolean {
    return this.isLast && this.exchange === undefined;
  }

  takeEnd(): void {
    this.isEndWaiting = this.input.hasUnread && !this.isClosing;
    this.hasClientEnded = !this.isEndWaiting;
    if (this.isClosing) return this.outgoing.watchStallAnew();
    if (this.tunnel !== undefined) return this.depart().beginTunnel(this.tunnel);
    const isComplete = this.exchange !== undefined && this.isRequestComplete;
    if (!isComplete && !this.isEndWaiting && (this.input.isInHead || !this.isRequestComplete)) return this.endEarly();
    this.attachment?.takeEnd?.();
    if (isComplete) this.depart().begin(this.exchange!);
    else if (this.isEndWaiting) this.updatePhase();
    else this.close();
  }

  /** The client has closed its half amid a request. */
  private endEarly(): void {
    const error = new HttpError(400, 'the request ended too early');
    const reason = new ClientGone(error.message, { cause: error });
    const { attachment, exchange } = this;
    if (attachment?.takeFailure === undefined) return this.ending.refuse(error, reason);
    attachment.takeFailure(error);
    // The app hears of the connection's end before that of its request.
    setImmediate(() => {
      if (!this.isClosing) this.ending.refuse(error, reason);
      if (exchange?.goneReason !== undefined) attachment.takeClose();
    });
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

  noteWritten(bytes: number): void {
    this.server.observers.traffic[1]! += bytes;
    this.departing?.renew();
  }

  takeStall(): void {
    this.ending.reset();
  }

  takeDrain(): void {
    this.outgoing.noteDrained();
    this.departing?.renew();
    if (this.tunnel !== undefined) return this.tunnel.takeDrain();
    if (this.exchange !== undefined) this.exchange.onDrain?.();
    else if (!this.isClosing) this.proceed();
  }

  begin(head: RequestHead, isPipelined: boolean): Exchange {
    const { server } = this;
    this.wire.claim?.noteRequest();
    const { requestMs, receiveMs } = server.timeouts;
    if (receiveMs !== undefined) this.waits.noteHead(this.requests === 0);
    const isTimed = requestMs !== 0 || server.observers.isWatched;
    const exchange = new Exchange(head, this, isTimed ? performance.now() : server.now);
    this.watch(exchange);
    if (this.isMute) exchange.mute();
    if (requestMs !== 0) exchange.deadline = exchange.startedAt + requestMs;
    this.exchange = exchange;
    this.isPipelined = isPipelined;
    if (server.forwarding?.admit(exchange) === false) return exchange;
    // Asked ahead of the first one too, but not of one that is the only one: each look is a call of native code.
    const isMarked = head.isKeepAlive && this.wire.isMarked;
    const isApart = ++this.requests > 1 && isMarked;
    exchange.settled = (isApart ? inFreshContext(() => server.handle(exchange)) : server.handle(exchange)) ?? undefined;
    return exchange;
  }

  private watch(exchange: Exchange): void {
    const { observers } = this.server;
    if (!observers.isWatched) return;
    exchange.observers = observers;
    observers.onBegin?.(exchange);
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
    if (this.wire.isPaused && !this.input.isFull) this.wire.resume();
    this.updatePhase();
  }

  get bytesRead(): number {
    return this.wire.bytesRead;
  }

  get bytesWritten(): number {
    return this.wire.bytesWritten + this.outgoing.heldBytes;
  }

  get keepAliveMs(): number {
    return this.server.timeouts.keepAliveMs;
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
    this.input.drain(exchange);
    this.server.countRequest(exchange);
    this.isLast ||= !exchange.persists || this.hasClientEnded;
    this.lastEndsWithIt = exchange.endsWithConnection;
    this.input.noteAnswered(exchange, this.isLast);
    if (!this.isLast) this.proceed();
    // While requests are read, the input goes on: only there is it known whether more lies behind this one.
    else if (!this.outgoing.isHolding) this.ending.closeAfterLast(exchange.head, !this.input.hasUnread);
  }

  /** Goes on to the next request, unless it must wait. */
  private proceed(): void {
    if (this.isDone) return this.close();
    if (this.mustWait) return this.updatePhase();
    if (this.wire.isPaused) this.wire.resume();
    if (this.outgoing.isHolding) return;
    if (!this.input.goOn()) this.updatePhase();
  }

  cut(): void {
    this.ending.cut();
  }

  /** The process is about to end. */
  cutUnfinished(): void {
    const isBegun = this.exchange?.endsWithConnection === true;
    if (isBegun || (this.lastEndsWithIt && this.outgoing.pendingBytes > 0)) this.ending.reset();
  }

  hangUp(answered?: Exchange): void {
    this.ending.hangUp(answered);
  }

  extendDeadline(exchange: Exchange, ms: number): void {
    if (exchange.deadline !== 0 && !exchange.isOverdue) exchange.deadline += ms;
  }

  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void {
    this.server.onFailure(exchange, error, isLate);
  }

  showFailure(exchange: Exchange, error: unknown): ShownFailure | undefined {
    return this.server.showFailure?.(exchange, error);
  }

  waitFor(work: Promise<void>): void {
    this.server.waitFor(work);
  }

  /** Not one byte of what follows is read as a request: it belongs to the other protocol. */
  takeOver(exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const rest = this.input.takeUnread() ?? Buffer.alloc(0);
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
    if (this.server.isDraining) this.server.noteUpgraded(this);
    return { tunnel: new WireTunnel(this.wire, exchange, (bytes) => this.noteWritten(bytes)), rest };
  }

  takeBroken(exchange: Exchange, events: TunnelEvents): Tunnel {
    this.isClosing = true;
    this.outgoing.flush();
    this.exchange = undefined;
    this.tunnel = events;
    this.upgraded = exchange;
    this.stopReading();
    this.noteLastRequest();
    this.waits.beginOwed();
    const { observers } = exchange;
    exchange.observers = undefined;
    this.server.countRequest(exchange);
    exchange.observers = observers;
    return new BrokenTunnel(this.wire, exchange, (bytes) => this.noteWritten(bytes), this.ending);
  }

  /** Whether the app answers a request that breaks the rules. */
  offerBroken(exchange: Exchange, error: HttpError): boolean {
    return this.server.extras?.takeBroken(exchange, error) === true;
  }

  get isUpgraded(): boolean {
    return this.tunnel !== undefined;
  }

  /** After an upgrade: the server is about to end. @returns whether that is done */
  sayFarewell(): boolean {
    return this.tunnel?.takeFarewell() ?? true;
  }

  /** The process is about to end. */
  tellUnfinished(): void {
    const { exchange, upgraded } = this;
    if (exchange !== undefined && !exchange.isEnded) exchange.outcome = 'cut';
    exchange?.tellObservers();
    upgraded?.tellObservers();
  }

  // The end.

  get isRequestComplete(): boolean {
    return this.input.isRequestComplete;
  }

  makeBroken(): Exchange {
    const broken = new Exchange(this.input.brokenHead, this, performance.now());
    broken.outcome = 'refused';
    this.watch(broken);
    return broken;
  }

  refuse(error: HttpError): void {
    this.ending.refuse(error);
  }

  stopReading(): void {
    this.input.stop();
  }

  noteLastRequest(): void {
    this.server.onLastRequest?.(this);
  }

  /** Says that nothing more comes, and stays for the client's own end or a short while. */
  close(): void {
    this.ending.close();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.wire.destroy();
  }

  get worth(): Worth | undefined {
    return this.ending.worth;
  }

  makeRoom(): void {
    this.ending.makeRoom();
  }

  /** From the server's sweep: the deadline has passed. */
  expire(): void {
    this.ending.expire();
  }

  /** From the server's sweep: looks whether the current request is late. @returns when to look again */
  checkRequest(now: number): number {
    const { exchange, server } = this;
    return checkDeadline(exchange, now, (ms) =>
      server.onTimeout(exchange!, ms, () => {
        if (this.exchange === exchange && !this.isClosing) this.ending.refuse(overdueAnswer(), timeoutError());
      }),
    );
  }

  takeFailure(error: Error): void {
    this.failure = error;
    this.attachment?.takeFailure?.(error);
  }

  takeClose(): void {
    this.input.loseBody();
    this.endDeparture();
    if (this.phase !== 'linger') this.noteLastRequest();
    this.waits.begin('closed');
    this.isClosing = true;
    this.server.forget(this);
    const cause = this.failure && { cause: this.failure };
    if (this.exchange !== undefined)
      this.abandon(this.exchange, new ClientGone('the client closed the connection', cause));
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
    if (exchange?.isStarted === false) this.wire.claim?.noteUnanswered(this.isSent);
    if (!this.isRequestComplete && !this.wire.isPaused && exchange?.isAwaitingContinue !== true) waits.beginBody();
    else if (exchange !== undefined || this.outgoing.isBackedUp) waits.begin('answer');
    else this.awaitRequest(isFirst);
  }

  /** Whether all answers until now are complete, and with the kernel. */
  private get isSent(): boolean {
    return this.outgoing.pendingBytes === 0 && !this.isMute;
  }

  private awaitRequest(isFirst: boolean): void {
    this.wire.claim?.noteIdle(this.isSent);
    if (!this.input.isInHead) return this.waits.beginIdle(isFirst);
    this.wire.claim?.noteRequest();
    this.waits.beginHead(isFirst);
  }
}
