/**
 * The transport of an exchange in a thread: it sends everything to the main thread, which has the real connection. Answers are
 * checked and framed here, by the same code as elsewhere; the main thread only passes them on.
 */

import { setImmediate } from 'node:timers';
import type { AnswerSink } from '../../../http/answer-sink.ts';
import type { Ends } from '../../../http/ends.ts';
import type { Attachment, Exchange, Transport, Tunnel, TunnelEvents } from '../../../http/exchange.ts';
import { H1Answer } from '../../../http/h1/answer.ts';
import { MadeAnswer } from '../../../http/h2/made.ts';
import type { Leftovers } from '../../../http/leftovers.ts';
import type { Taken } from '../../../http/wire/taken.ts';
import { AnswerFlag, type Request } from '../messages.ts';
import { BodyCredit } from './body-credit.ts';
import { failureMessage } from './failure-message.ts';
import { Outgoing } from './outgoing.ts';
import type { Outlet } from './outlet.ts';
import type { Shares } from './shares.ts';
import type { Tunnels } from './tunnels.ts';

/** What all requests of a thread share. */
export interface ThreadParts {
  readonly outlet: Outlet;
  readonly shares: Shares;
  readonly leftovers: Leftovers;
  readonly tunnels: Tunnels;
}

export class ThreadTransport implements Transport {
  readonly ends: Ends;
  readonly answer: AnswerSink;
  readonly isHttp2: boolean;
  /** Unused: the main thread has sent the id. */
  readonly requestIdHeader = '';
  /** Set by the thread, the same for all of its connections. */
  keepAliveMs = 0;

  /** While the app's function runs: an answer that is complete by its end is sent together with the news that it is done. */
  isCalling = true;
  /** Whether the main thread knows that the app is done with this request. */
  isDone = false;
  /** Called at the end of the answer, if the app has returned no promise. */
  onFinish: (() => void) | undefined = undefined;
  attachment: Attachment | undefined = undefined;
  /** What clients see of a failure, under `--reload`. */
  showFailure: Transport['showFailure'] = undefined;
  private readonly id: number;
  private readonly head: Request['head'];
  private readonly outlet: Outlet;
  private readonly leftovers: Leftovers;
  private readonly tunnels: Tunnels;
  private readonly outgoing: Outgoing;
  private exchange: Exchange | undefined = undefined;
  /** Undefined until the body is read. */
  private credit: BodyCredit | undefined = undefined;

  /** @param cpu returns the CPU time of the request in microseconds; -1 if it is not measured */
  constructor(
    { id, head, ends, connection = ends }: Request,
    { outlet, shares, leftovers, tunnels }: ThreadParts,
    cpu: () => number,
  ) {
    this.tunnels = tunnels;
    this.leftovers = leftovers;
    // As 32 bits, as the main thread stores it.
    this.id = id | 0;
    this.head = head;
    this.outlet = outlet;
    this.ends = connection;
    this.isHttp2 = head.isHttp2;
    this.outgoing = new Outgoing(this.id, outlet, shares, cpu);
    this.answer = head.isHttp2 ? new MadeAnswer(this.outgoing) : new H1Answer(this.outgoing, false);
  }

  // For the exchange.

  get pendingBytes(): number {
    return this.outgoing.pendingBytes;
  }

  whenTaken(callback: Taken): void {
    this.outgoing.whenTaken(callback);
  }

  private get bodyCredit(): BodyCredit {
    this.credit ??= new BodyCredit(this.id, this.outlet);
    return this.credit;
  }

  pauseBody(): void {
    this.bodyCredit.pause();
  }

  resumeBody(): void {
    if (this.exchange?.isEnded === true) return;
    this.bodyCredit.resume();
  }

  /** As known when the request was sent. The main thread decides, and changes the head if necessary. */
  mayPersist(): boolean {
    return this.head.isKeepAlive;
  }

  finish(): void {
    // After an answer, the main thread sends no more of the body.
    if (this.exchange?.isEnded === true) this.exchange.loseBody();
    if (this.isCalling) return;
    if (this.onFinish === undefined) this.whenSent(() => this.outgoing.sendLast(0));
    else this.onFinish();
  }

  cut(): void {
    this.outlet.post(['cut', this.id]);
  }

  hangUp(): void {
    if (!this.outgoing.hangUpBehindLast()) this.outlet.post(['hangUp', this.id]);
  }

  extendDeadline(_exchange: Exchange, ms: number): void {
    this.outlet.post(['extend', this.id, ms]);
  }

  waitFor(work: Promise<void>): void {
    this.leftovers.addWork(work);
  }

  logFailure(exchange: Exchange, error: unknown, isLate = false): void {
    this.outlet.post(failureMessage(this.id, exchange, error, isLate));
  }

  /**
   * What the client sent behind the request comes as messages. The thread is free for the next request, beside this connection.
   */
  takeOver(_exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const { attachment } = this;
    this.attachment = undefined;
    this.outlet.post(['takeOver', this.id]);
    setImmediate(() => this.onFinish?.());
    return { tunnel: this.tunnels.begin(this.id, events, () => attachment?.takeClose()), rest: Buffer.alloc(0) };
  }

  // For the thread.

  serves(exchange: Exchange): void {
    this.exchange = exchange;
    this.outgoing.serves(exchange);
  }

  takeBody(bytes: Uint8Array): void {
    const { bodyCredit } = this;
    bodyCredit.note(bytes.byteLength);
    this.exchange?.takeBody(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    bodyCredit.grant();
  }

  /** Nobody is left to answer. */
  takeClose(reason: Error, failure?: Error): void {
    this.outgoing.drop();
    this.attachment?.takeFinish?.();
    if (failure !== undefined) this.attachment?.takeFailure?.(failure);
    // The app hears of how the connection ended first.
    setImmediate(() => {
      this.exchange?.abort(reason);
      this.attachment?.takeClose();
      this.outgoing.tellSent();
    });
  }

  /** The client has taken bytes of the answer. */
  noteTaken(bytes: number): void {
    this.outgoing.noteTaken(bytes);
  }

  /** Calls back when no bytes of the answer wait in this thread. The app may have to return first. */
  whenSent(done: () => void): void {
    this.outgoing.whenSent(done);
  }

  /** The end of the answer is out, or never will be. */
  takeOut(isOut: boolean): void {
    if (this.outgoing.takeOut(isOut) && this.isDone) this.attachment?.takeClose();
  }

  /** Whether it waits for `takeOut`. */
  get isOwed(): boolean {
    return this.outgoing.isOwed;
  }

  /** The app is done: sends the rest of the answer. */
  done(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.outgoing.sendLast(AnswerFlag.done);
    // Where the client has gone, the app hears of that first.
    if (!this.outgoing.isOwed && this.exchange?.goneReason === undefined) this.attachment?.takeClose();
  }
}
