/**
 * The bytes of one answer on their way to the main thread. They pass as they are until the client has taken too few of them;
 * then the rest waits here. The end of an answer goes together with the news that the app is done with the request.
 */

import type { MadeText } from '../../../http/answer-sink.ts';
import type { Bytes, Exchange } from '../../../http/exchange.ts';
import type { TextOut } from '../../../http/h1/answer.ts';
import { canceled, type Taken, tellTaken, writeError } from '../../../http/wire/taken.ts';
import { AnswerFlag, type AnswerPart, answerWindowBytes, bytesIn, creditBytes, statusShift } from '../messages.ts';
import { Backlog } from './backlog.ts';
import type { Outlet } from './outlet.ts';
import type { Shares } from './shares.ts';

/** Up to this size, bytes are sent as text; larger ones in memory of their own, which is transferred. */
const smallBytes = 8 * 1024;
/** From this size on, text is sent as bytes: otherwise it would be copied twice, and fill the main thread's heap. */
const largeTextBytes = 64 * 1024;
/** From this size on, bytes are shared between threads instead of copied for each client. */
const sharedFromBytes = 1024 * 1024;
const nothing: MadeText = { text: '', bytes: undefined, tail: '', headLength: 0 };

export class Outgoing implements TextOut {
  private readonly id: number;
  private readonly outlet: Outlet;
  private readonly shares: Shares;
  private readonly cpu: () => number;
  private readonly backlog = new Backlog();
  private exchange: Exchange | undefined = undefined;
  private hasBegun = false;
  private hasEnded = false;
  /** The last part of a complete answer, until it is sent. */
  private last: AnswerPart | undefined = undefined;
  private lastFlags = 0;
  /** Bytes sent that the client has not taken yet. */
  private untaken = 0;
  private isStalled = false;
  /** Whether the main thread has yet to say that the end of the answer is out. */
  private isConfirmed = false;
  private takers: Taken[] = [];

  constructor(id: number, outlet: Outlet, shares: Shares, cpu: () => number) {
    this.id = id;
    this.outlet = outlet;
    this.shares = shares;
    this.cpu = cpu;
  }

  serves(exchange: Exchange): void {
    this.exchange = exchange;
  }

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

  /** Calls back when no bytes of the answer wait in this thread. The app may have to return first. */
  whenSent(done: () => void): void {
    this.backlog.whenEmpty(done);
  }

  /** The end of the answer is out, or never will be. @returns whether that was awaited */
  takeOut(isOut: boolean): boolean {
    if (!this.isConfirmed) return false;
    this.isConfirmed = false;
    this.isStalled = false;
    this.tellTakers(isOut ? undefined : writeError(canceled));
    return true;
  }

  /** Whether it waits for `takeOut`. */
  get isOwed(): boolean {
    return this.isConfirmed;
  }

  /** Nobody is left to read. `whenSent` calls back at `tellSent`. */
  drop(): void {
    this.backlog.clear();
    this.isConfirmed = false;
    this.tellTakers(writeError(canceled));
  }

  tellSent(): void {
    this.backlog.tellEmpty();
  }

  /** Lets the connection end behind the answer. @returns false where the answer is not complete, or is sent already */
  hangUpBehindLast(): boolean {
    if (this.exchange?.isEnded !== true || this.hasEnded) return false;
    this.lastFlags |= AnswerFlag.hangUp;
    return true;
  }

  private tellTakers(error: Error | undefined): void {
    const { takers } = this;
    this.takers = [];
    tellTaken(takers, error);
  }

  /** The main thread takes any number of shared bytes at once. Others wait here until the client takes them. */
  private sendLarge(made: MadeText & { readonly bytes: Bytes }): boolean {
    const share = this.backlog.isEmpty ? this.shares.of(made.bytes) : undefined;
    if (share !== undefined) return this.send({ ...made, bytes: share.bytes }, false, share.number);
    return this.send(made, true);
  }

  /** @param mustWait whether it exceeds what the main thread may hold of an answer */
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
    // Counted before they are sent: transferred bytes have no length here any more.
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

  /** Sends what is left of the answer. */
  sendLast(flags: number): void {
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
      // A confirmation costs a message. A smaller answer is almost always out at once.
      this.isConfirmed = this.untaken >= creditBytes;
      if (this.isConfirmed) confirm = AnswerFlag.confirm;
    }
    this.outlet.answer(this.id, lastFlags | end | confirm | flags, last);
  }
}
