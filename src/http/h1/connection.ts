/**
 * A client's connection, and the only owner of its wire: it knows whose turn it is. Requests come from the input and go to
 * the handler, one at a time, in order; answers go out. It refuses to know what a request means.
 */

import { ConnectionHandle } from '../../node/handles.ts';
import { contextsStay, inFreshContext } from '../context.ts';
import type { End, Ends } from '../ends.ts';
import type { Exchange, Tunnel, TunnelEvents } from '../exchange.ts';
import type { RequestHead } from '../head.ts';
import type { HeldShare } from '../held-answers.ts';
import type { Host, Waiting } from '../host.ts';
import { maxDrainBytes } from '../limits.ts';
import type { Member } from '../member-list.ts';
import type { Proxied } from '../proxy-protocol/proxied.ts';
import { type OpenWire, openWire } from '../wire/open-wire.ts';
import type { Incoming, Wire } from '../wire/wire.ts';
import { timingLine } from './timing.ts';
import { BrokenTunnel, WireTunnel } from './tunnel.ts';
import { type Phase, Waits } from './waits.ts';
import { WorkingConnection } from './working.ts';
import type { User, Workspace } from './workspace.ts';

export class Connection extends WorkingConnection implements Proxied, User, Waiting, Member {
  place = -1;
  /** Replaced if a PROXY header names the client. */
  ends: Ends;
  readonly share: HeldShare | undefined;
  readonly wire: Wire;
  readonly waits: Waits;
  private requests = 0;

  /** @param open makes the wire; tests make one up */
  constructor(server: Host, incoming: Incoming, remote: End, open: OpenWire = openWire) {
    super(server);
    this.ends = { local: server.local, remote, scheme: server.scheme };
    this.waits = new Waits(server);
    this.share = server.heldAnswers?.open();
    this.wire = open(incoming, this);
    const { answerClaims } = server;
    if (answerClaims !== undefined && incoming instanceof ConnectionHandle)
      this.wire.claimIn?.(answerClaims, incoming.fd);
  }

  protected borrow(): Workspace {
    return this.host.workspaces.lend(this);
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

  /** The client speaks HTTP/2: another object serves it from now on. */
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

  get timing(): string {
    return this.exchange === undefined ? '' : timingLine(this.exchange);
  }

  // Bytes in.

  takeBytes(bytes: Buffer, length: number): void {
    this.host.observers.traffic[0]! += length;
    if (this.isClosing) return this.waits.prolongLinger();
    if (this.tunnel !== undefined) return this.tunnel.takeBytes(Buffer.from(bytes.subarray(0, length)));
    this.input.take(bytes, length);
  }

  /** Whether what follows has to wait for the answer to this request, or for the client to take what it was sent. */
  get mustWait(): boolean {
    return this.isDone || (this.isRequestComplete && (this.exchange !== undefined || this.isBackedUp));
  }

  /** Whether the last answer is complete. */
  get isDone(): boolean {
    return this.isLast && this.exchange === undefined;
  }

  takeEnd(): void {
    this.isEndWaiting = this.hasUnread && !this.isClosing;
    this.hasClientEnded = !this.isEndWaiting;
    if (this.isClosing) return this.watchStallAnew();
    if (this.tunnel !== undefined) return this.depart().beginTunnel(this.tunnel.events);
    const isComplete = this.exchange !== undefined && this.isRequestComplete;
    if (!isComplete && !this.isEndWaiting && (this.isInHead || !this.isRequestComplete)) return this.endEarly();
    this.attachment?.takeEnd?.();
    if (isComplete) this.depart().begin(this.exchange!);
    else if (this.isEndWaiting) this.updatePhase();
    else this.close();
  }

  noteWritten(bytes: number): void {
    this.host.observers.traffic[1]! += bytes;
    this.departing?.renew();
  }

  takeDrain(): void {
    this.outgoing.noteDrained();
    this.departing?.renew();
    if (this.tunnel !== undefined) return this.tunnel.events.takeDrain();
    if (this.exchange !== undefined) this.exchange.onDrain?.();
    else if (!this.isClosing) this.proceed();
  }

  begin(head: RequestHead, isPipelined: boolean): Exchange {
    const { host } = this;
    this.wire.claim?.noteRequest();
    if (host.timeouts.receiveMs !== undefined) this.waits.noteHead(this.requests === 0);
    const exchange = this.open(head);
    if (this.isMute) exchange.mute();
    this.exchange = exchange;
    this.isPipelined = isPipelined;
    if (host.forwarding?.admit(exchange) === false) return exchange;
    // Read before the first request too, but not for a request that is the only one: it is a call of native code.
    const isMarked = head.isKeepAlive && this.wire.isMarked;
    const isApart = ++this.requests > 1 && (contextsStay ? isMarked : isPipelined);
    exchange.settled = (isApart ? inFreshContext(() => host.handle(exchange)) : host.handle(exchange)) ?? undefined;
    return exchange;
  }

  // To the exchange.

  pauseBody(): void {
    this.wire.pause();
    this.updatePhase();
  }

  get keepAliveMs(): number {
    return this.host.timeouts.keepAliveMs;
  }

  /** Called when the head is made. */
  mayPersist(exchange: Exchange): boolean {
    this.outgoing.markAnswer();
    if (!exchange.head.isKeepAlive || this.host.isDraining || this.isClosing) return false;
    if (this.hasClientEnded || this.isLast || this.host.timeouts.keepAliveMs === 0) return false;
    if (this.isRequestComplete) return true;
    // Without a 100 Continue the client may send its body or not: where the next request begins cannot be known.
    if (exchange.isAwaitingContinue) return false;
    return exchange.head.contentLength <= maxDrainBytes;
  }

  finish(exchange: Exchange): void {
    this.exchange = undefined;
    this.endDeparture();
    this.input.drain(exchange);
    this.host.countRequest(exchange);
    this.isLast ||= !exchange.persists || this.hasClientEnded;
    this.lastEndsWithIt = exchange.endsWithConnection;
    this.input.noteAnswered(exchange, this.isLast);
    if (!this.isLast) this.proceed();
    // While requests are read, the input goes on: only there is it known whether more lies behind this one.
    else if (!this.outgoing.isHolding) this.closeAfterLast(exchange.head, !this.input.hasUnread);
  }

  proceed(): void {
    if (this.isDone) return this.close();
    if (this.mustWait) return this.updatePhase();
    if (this.wire.isPaused) this.wire.resume();
    if (this.outgoing.isHolding) return;
    if (!this.input.goOn()) this.updatePhase();
  }

  /** What follows belongs to the other protocol: none of it is read as a request. */
  takeOver(exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const rest = this.input.takeUnread() ?? Buffer.alloc(0);
    const tunnel = new WireTunnel(this, exchange, events);
    this.exchange = undefined;
    this.tunnel = tunnel;
    this.waits.begin('tunnel');
    tunnel.count(this.host);
    exchange.outcome = 'upgraded';
    this.endDeparture();
    if (this.hasClientEnded || this.isEndWaiting) process.nextTick(() => this.depart().beginTunnel(events));
    if (this.host.isDraining) this.host.noteUpgraded(this);
    return { tunnel, rest };
  }

  takeBroken(exchange: Exchange, events: TunnelEvents): Tunnel {
    this.isClosing = true;
    this.outgoing.flush();
    const tunnel = new BrokenTunnel(this, exchange, events);
    this.exchange = undefined;
    this.tunnel = tunnel;
    this.stopReading();
    this.noteLastRequest();
    this.waits.beginOwed();
    tunnel.count(this.host);
    return tunnel;
  }

  /** The worker is stopping. */
  beginDrain(): void {
    this.updatePhase();
    if (this.hasClientEnded) this.watchStallAnew();
  }

  /** Sets the phase and its deadline anew. */
  updatePhase(): void {
    if (this.isClosing || this.tunnel !== undefined) return;
    const { exchange, waits } = this;
    const isFirst = this.requests === 0;
    if (exchange?.isStarted === false) this.wire.claim?.noteUnanswered(this.isSent);
    if (!this.isRequestComplete && !this.wire.isPaused && exchange?.isAwaitingContinue !== true) waits.beginBody();
    else if (exchange !== undefined || this.isBackedUp) waits.begin('answer');
    else this.awaitRequest(isFirst);
  }

  /** Whether the kernel has all answers until now, in full. */
  private get isSent(): boolean {
    return this.pendingBytes === 0 && !this.isMute;
  }

  private awaitRequest(isFirst: boolean): void {
    this.wire.claim?.noteIdle(this.isSent);
    if (this.isInHead) {
      this.wire.claim?.noteRequest();
      this.waits.beginHead(isFirst);
    } else {
      this.waits.beginIdle(isFirst);
      this.giveWorkspaceBack();
    }
  }
}
