/**
 * What an exchange in a thread has for a connection: everything goes to the main thread, which has the real one. What is
 * written here has been checked and framed by the same code as anywhere; the main thread only passes it on.
 */

import { report } from '../../../errors.ts';
import { isDeparture } from '../../../http/errors.ts';
import type { Attachment, Bytes, Carrier, Exchange } from '../../../http/exchange.ts';
import { type AnswerPart, bytesIn, creditBytes, type Ends, part, type Request, windowBytes } from '../messages.ts';
import type { Outlet } from './outlet.ts';

/** Up to here bytes go along with the text, beyond in memory of their own that changes hands. */
const smallBytes = 8 * 1024;
const nothing: AnswerPart = { text: '', bytes: undefined, tail: '' };

export class ThreadCarrier implements Carrier {
  readonly localAddress: string;
  readonly localPort: string;
  readonly remoteAddress: string;
  readonly remotePort: string;

  /** While the app's function runs: an answer that is complete by then goes out together with the news that it is done. */
  isCalling = true;
  /** Whether the main thread knows that the app is done with this request. */
  isDone = false;
  /** Called at the end of an answer for which there is no promise. */
  onFinish: (() => void) | undefined = undefined;
  attachment: Attachment | undefined = undefined;
  private readonly id: number;
  private readonly head: Request['head'];
  private readonly outlet: Outlet;
  private exchange: Exchange | undefined = undefined;
  private hasBegun = false;
  private hasEnded = false;
  /** The last part of a complete answer, until it is sent. */
  private last: AnswerPart | undefined = undefined;
  private lastFlags = 0;
  /** Bytes sent of which the client has not taken enough yet. */
  private untaken = 0;
  private isStalled = false;
  private hasAskedForBody = false;
  private isBodyPaused = false;
  /** Bytes of the body that came, and were not yet said to be taken. */
  private owedBytes = 0;

  constructor({ id, head, ends }: { id: number; head: Request['head']; ends: Ends }, outlet: Outlet) {
    // As 32 bits, which is how the main thread knows it.
    this.id = id | 0;
    this.head = head;
    this.outlet = outlet;
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
  }

  // To the exchange.

  sendText(text: string): boolean {
    return this.send({ text, bytes: undefined, tail: '' });
  }

  sendBytes(head: string, bytes: Bytes, tail: string): boolean {
    if (bytes.byteLength > smallBytes) return this.send({ text: head, bytes: new Uint8Array(bytes), tail });
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.sendText(head + view.toString('latin1') + tail);
  }

  pauseBody(): void {
    this.isBodyPaused = true;
  }

  resumeBody(): void {
    if (this.exchange?.isEnded === true) return;
    this.isBodyPaused = false;
    if (!this.hasAskedForBody) this.outlet.post(['read', this.id]);
    this.hasAskedForBody = true;
    this.payBack();
  }

  /** As far as it was known when the request was sent. The main thread has the last word, and changes the head if need be. */
  mayPersist(): boolean {
    return this.head.isKeepAlive;
  }

  finish(): void {
    // The main thread passes nothing on behind an answer.
    if (this.exchange?.isEnded === true) this.exchange.loseBody();
    if (this.isCalling) return;
    if (this.onFinish === undefined) this.sendLast(0);
    else this.onFinish();
  }

  cut(): void {
    this.outlet.post(['cut', this.id]);
  }

  hangUp(): void {
    if (this.exchange?.isEnded !== true) this.cut();
    else if (this.hasEnded) this.outlet.post(['hangUp', this.id]);
    else this.lastFlags |= part.hangUp;
  }

  extendDeadline(_exchange: Exchange, ms: number): void {
    this.outlet.post(['extend', this.id, ms]);
  }

  logFailure(_exchange: Exchange, error: unknown): void {
    const failure = report(error);
    // Its causes do not travel, and the main thread asks by name.
    this.outlet.post(['failed', this.id, isDeparture(error) ? { ...failure, name: 'ClientGone' } : failure]);
  }

  // From the thread.

  serves(exchange: Exchange): void {
    this.exchange = exchange;
  }

  takeBody(bytes: Uint8Array): void {
    this.owedBytes += bytes.byteLength;
    this.exchange?.takeBody(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.payBack();
  }

  /** There is nobody left to answer. */
  takeClose(reason: Error): void {
    this.attachment?.takeFinish?.();
    this.exchange?.abort(reason);
    this.attachment?.takeClose();
  }

  /** The client has taken bytes of the answer. */
  noteTaken(bytes: number): void {
    this.untaken -= bytes;
    if (!this.isStalled || this.untaken >= windowBytes) return;
    this.isStalled = false;
    this.exchange?.onDrain?.();
  }

  /** The app is done: sends what is left of the answer with it. */
  done(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.sendLast(part.done);
    this.attachment?.takeClose();
  }

  private send(sent: AnswerPart): boolean {
    const { exchange } = this;
    let flags = 0;
    if (exchange?.isStarted !== true) flags = part.interim;
    else if (!this.hasBegun) {
      this.hasBegun = true;
      flags = part.head | (exchange.persists ? part.persists : 0);
    }
    if (exchange?.isEnded === true) {
      this.last = sent;
      this.lastFlags = flags;
      return true;
    }
    // Before they are sent: bytes that change hands have no length here any more.
    if (flags !== part.interim) this.untaken += bytesIn(sent);
    this.outlet.answer(this.id, flags, sent);
    this.isStalled = this.untaken >= windowBytes;
    return !this.isStalled;
  }

  private sendLast(flags: number): void {
    const end = this.exchange?.isEnded === true && !this.hasEnded ? part.end : 0;
    if (end === 0 && flags === 0) return;
    this.hasEnded ||= end !== 0;
    const { last = nothing, lastFlags } = this;
    this.last = undefined;
    this.lastFlags = 0;
    this.outlet.answer(this.id, lastFlags | end | flags, last);
  }

  /** Lets as much more come as the app has taken, in steps. */
  private payBack(): void {
    if (this.isBodyPaused || this.owedBytes < creditBytes) return;
    this.outlet.post(['taken', this.id, this.owedBytes]);
    this.owedBytes = 0;
  }
}
