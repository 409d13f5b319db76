/**
 * What an exchange in a thread has for a connection: everything goes to the main thread, which has the real one. What is
 * written here has been checked and framed by the same code as anywhere; the main thread only passes it on.
 */

import { setImmediate } from 'node:timers';
import type { AnswerSink, MadeText } from '../../../http/answer-sink.ts';
import type { Ends } from '../../../http/ends.ts';
import { ClientGone } from '../../../http/errors.ts';
import type { Attachment, Bytes, Exchange, Transport, Tunnel, TunnelEvents } from '../../../http/exchange.ts';
import { H1Answer, type TextOut } from '../../../http/h1/answer.ts';
import { MadeAnswer } from '../../../http/h2/made.ts';
import type { Leftovers } from '../../../http/leftovers.ts';
import { type Taken, tellTaken } from '../../../http/wire/taken.ts';
import {
  AnswerFlag,
  type AnswerPart,
  answerWindowBytes,
  bytesIn,
  creditBytes,
  type Request,
  statusShift,
} from '../messages.ts';
import { Backlog } from './backlog.ts';
import { BodyCredit } from './body-credit.ts';
import { failureMessage } from './failure-message.ts';
import type { Outlet } from './outlet.ts';
import type { Shares } from './shares.ts';
import type { Tunnels } from './tunnels.ts';

/** Up to here bytes go along with the text, beyond in memory of their own that changes hands. */
const smallBytes = 8 * 1024;
/** From here on text goes as bytes too: it would be copied twice, and be in the main thread's heap. */
const largeTextBytes = 64 * 1024;
/** From here on bytes are shared rather than copied for each client. */
const sharedFromBytes = 1024 * 1024;
const nothing: MadeText = { text: '', bytes: undefined, tail: '', headLength: 0 };

/** What all requests of a thread have in common. */
export interface ThreadParts {
  readonly outlet: Outlet;
  readonly shares: Shares;
  readonly leftovers: Leftovers;
  readonly tunnels: Tunnels;
}

export class ThreadTransport implements Transport, TextOut {
  readonly ends: Ends;
  readonly answer: AnswerSink;
  readonly isHttp2: boolean;
  /** Not looked at: the main thread has said what the id is. */
  readonly requestIdHeader = '';
  /** Said by the thread: one for all of its connections. */
  keepAliveMs = 0;

  /** While the app's function runs: an answer that is complete by then goes out together with the news that it is done. */
  isCalling = true;
  /** Whether the main thread knows that the app is done with this request. */
  isDone = false;
  /** Called at the end of an answer for which there is no promise. */
  onFinish: (() => void) | undefined = undefined;
  attachment: Attachment | undefined = undefined;
  /** What clients see of a failure, under `--reload`. */
  showFailure: Transport['showFailure'] = undefined;
  private readonly id: number;
  private readonly head: Request['head'];
  private readonly outlet: Outlet;
  private readonly shares: Shares;
  private readonly leftovers: Leftovers;
  private readonly tunnels: Tunnels;
  private readonly backlog = new Backlog();
  private readonly cpu: () => number;
  private exchange: Exchange | undefined = undefined;
  private hasBegun = false;
  private hasEnded = false;
  /** The last part of a complete answer, until it is sent. */
  private last: AnswerPart | undefined = undefined;
  private lastFlags = 0;
  /** Bytes sent of which the client has not taken enough yet. */
  private untaken = 0;
  private isStalled = false;
  /** Whether the main thread says when the end of the answer is out. */
  private isConfirmed = false;
  private takers: Taken[] = [];
  /** Undefined until there is anything of a body. */
  private credit: BodyCredit | undefined = undefined;

  /** @param cpu says how much CPU time the request has taken, in microseconds; -1 where that is not measured */
  constructor({ id, head, ends }: Request, { outlet, shares, leftovers, tunnels }: ThreadParts, cpu: () => number) {
    this.cpu = cpu;
    this.tunnels = tunnels;
    this.shares = shares;
    this.leftovers = leftovers;
    // As 32 bits, which is how the main thread knows it.
    this.id = id | 0;
    this.head = head;
    this.outlet = outlet;
    this.ends = ends;
    this.isHttp2 = head.isHttp2;
    this.answer = head.isHttp2 ? new MadeAnswer(this) : new H1Answer(this, false);
  }

  // To the exchange.

  sendText(text: string, headLength: number): boolean {
    if (text.length < largeTextBytes) return this.send({ text, bytes: undefined, tail: '', headLength });
    return this.sendBytes(text.slice(0, headLength), Buffer.from(text.slice(headLength), 'latin1'), '', headLength);
  }

  sendBytes(text: string, bytes: Bytes, tail: string, headLength: number): boolean {
    if (bytes.byteLength >= sharedFromBytes) return this.sendLarge({ text, bytes, tail, headLength });
    if (bytes.byteLength > smallBytes) return this.send({ text, bytes: new Uint8Array(bytes), tail, headLength });
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.sendText(text + view.toString('latin1') + tail, headLength);
  }

  /** An estimate: the main thread grants credit in steps for what the client has taken. */
  get pendingBytes(): number {
    const lastBytes = this.last === undefined ? 0 : bytesIn(this.last);
    const isWaiting = this.isStalled || this.isConfirmed || !this.backlog.isEmpty || lastBytes >= creditBytes;
    return isWaiting ? this.untaken + this.backlog.bytes + lastBytes : 0;
  }

  whenTaken(callback: Taken): void {
    if (this.pendingBytes === 0) process.nextTick(callback);
    else this.takers.push(callback);
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

  /** As far as it was known when the request was sent. The main thread has the last word, and changes the head if need be. */
  mayPersist(): boolean {
    return this.head.isKeepAlive;
  }

  finish(): void {
    // The main thread passes nothing on behind an answer.
    if (this.exchange?.isEnded === true) this.exchange.loseBody();
    if (this.isCalling) return;
    if (this.onFinish === undefined) this.whenSent(() => this.sendLast(0));
    else this.onFinish();
  }

  cut(): void {
    this.outlet.post(['cut', this.id]);
  }

  hangUp(): void {
    if (this.exchange?.isEnded !== true || this.hasEnded) this.outlet.post(['hangUp', this.id]);
    else this.lastFlags |= AnswerFlag.hangUp;
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

  /** What was read beyond the request comes behind it. The thread is free for the next request, beside this connection. */
  takeOver(_exchange: Exchange, events: TunnelEvents): { tunnel: Tunnel; rest: Buffer } {
    const { attachment } = this;
    this.attachment = undefined;
    this.outlet.post(['takeOver', this.id]);
    setImmediate(() => this.onFinish?.());
    return { tunnel: this.tunnels.begin(this.id, events, () => attachment?.takeClose()), rest: Buffer.alloc(0) };
  }

  // From the thread.

  serves(exchange: Exchange): void {
    this.exchange = exchange;
  }

  takeBody(bytes: Uint8Array): void {
    const { bodyCredit } = this;
    bodyCredit.note(bytes.byteLength);
    this.exchange?.takeBody(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    bodyCredit.grant();
  }

  /** There is nobody left to answer. */
  takeClose(reason: Error): void {
    this.backlog.clear();
    this.isConfirmed = false;
    this.tellTakers(reason);
    this.attachment?.takeFinish?.();
    this.exchange?.abort(reason);
    this.attachment?.takeClose();
    this.backlog.tellEmpty();
  }

  /** The client has taken bytes of the answer. */
  noteTaken(bytes: number): void {
    this.untaken -= bytes;
    this.sendWaiting();
    if (this.isStalled && this.untaken < answerWindowBytes && this.backlog.isEmpty) {
      this.isStalled = false;
      this.exchange?.onDrain?.();
    }
    if (this.backlog.isEmpty) this.backlog.tellEmpty();
    if (this.pendingBytes === 0) this.tellTakers(undefined);
  }

  /** Calls back when no bytes of the answer wait in this thread, which has to give them time. */
  whenSent(done: () => void): void {
    this.backlog.whenEmpty(done);
  }

  /** The end of the answer is on its way, or never will be. */
  takeOut(isOut: boolean): void {
    if (!this.isConfirmed) return;
    this.isConfirmed = false;
    this.isStalled = false;
    this.tellTakers(isOut ? undefined : new ClientGone('the client left ahead of the end of its answer'));
    if (this.isDone) this.attachment?.takeClose();
  }

  private tellTakers(error: Error | undefined): void {
    const { takers } = this;
    this.takers = [];
    tellTaken(takers, error);
  }

  /** Whether it waits for `takeOut`. */
  get isOwed(): boolean {
    return this.isConfirmed;
  }

  /** The app is done: sends what is left of the answer with it. */
  done(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.sendLast(AnswerFlag.done);
    if (!this.isConfirmed) this.attachment?.takeClose();
  }

  /** Of bytes that are shared the main thread takes any number at once. Others wait here until the client takes them. */
  private sendLarge(made: MadeText & { readonly bytes: Bytes }): boolean {
    const share = this.backlog.isEmpty ? this.shares.of(made.bytes) : undefined;
    if (share !== undefined) return this.send({ ...made, bytes: share.bytes }, false, share.number);
    return this.send(made, true);
  }

  /** @param mustWait beyond what the main thread may hold of it */
  private send({ text, bytes, tail, headLength }: MadeText, mustWait = false, share?: number): boolean {
    const { exchange } = this;
    const sentBytes = exchange?.sentBytes ?? 0;
    const part: AnswerPart = { text, bytes, tail, headLength, sentBytes, cpuMicros: this.cpu() };
    const sent = share === undefined ? part : { ...part, share };
    let flags = 0;
    if (exchange?.isStarted !== true) flags = AnswerFlag.interim;
    else if (!this.hasBegun) {
      this.hasBegun = true;
      const status = Number.parseInt(exchange.status, 10) << statusShift;
      flags = status | AnswerFlag.head | (exchange.persists ? AnswerFlag.persists : 0);
    }
    if (mustWait || !this.backlog.isEmpty) {
      this.backlog.add(flags, sent);
      this.sendWaiting();
    } else if (exchange?.isEnded === true) {
      this.last = sent;
      this.lastFlags = flags;
      return true;
    } else this.sendPart(flags, sent);
    this.isStalled = this.untaken >= answerWindowBytes || !this.backlog.isEmpty;
    return !this.isStalled;
  }

  private sendPart(flags: number, sent: AnswerPart): void {
    // Before they are sent: bytes that change hands have no length here any more.
    if (flags !== AnswerFlag.interim) this.untaken += bytesIn(sent);
    this.outlet.answer(this.id, flags, sent);
  }

  private sendWaiting(): void {
    while (this.untaken < answerWindowBytes) {
      const next = this.backlog.take();
      if (next === undefined) return;
      this.sendPart(next.flags, next.part);
    }
  }

  private sendLast(flags: number): void {
    const end = this.exchange?.isEnded === true && !this.hasEnded ? AnswerFlag.end : 0;
    if (end === 0 && flags === 0) return;
    this.hasEnded ||= end !== 0;
    const { lastFlags } = this;
    const last = this.last ?? {
      ...nothing,
      sentBytes: this.exchange?.sentBytes ?? 0,
      cpuMicros: this.cpu(),
    };
    this.last = undefined;
    this.lastFlags = 0;
    let confirm = 0;
    if (end !== 0) {
      this.untaken += bytesIn(last);
      // A message, which is not worth it for less: that is out at once, as good as always.
      this.isConfirmed = this.untaken >= creditBytes;
      if (this.isConfirmed) confirm = AnswerFlag.confirm;
    }
    this.outlet.answer(this.id, lastFlags | end | confirm | flags, last);
  }
}
