/** A request as it comes in: its head and body, and whether its client still waits for the answer. */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { Ends } from './ends.ts';
import type { RequestHead } from './head.ts';
import type { Pieces } from './pieces.ts';
import { type BodySink, RequestBody } from './request-body.ts';
import { requestIdOf } from './request-id.ts';
import type { RequestSource } from './transport.ts';

export abstract class ReceivedRequest<Source extends RequestSource> {
  readonly head: RequestHead;
  readonly transport: Source;
  readonly startedAt: number;
  /** Those of the connection, unless a trusted proxy has named others. */
  ends: Ends;

  /**
   * Whether the app still gets the rest of the body after its answer is complete. Ends with the connection, or by
   * `loseBody`.
   */
  keepsBody = false;
  /** Of the body, without what frames it. */
  receivedBytes = 0;
  /**
   * Whether a client that closes its half counts as gone at once, as in `node:http`. Otherwise the app has one more second
   * to answer it.
   */
  endsWithClient = false;
  /**
   * If the app runs in a thread: whether that is busy, so that the app cannot have heard yet that its client closed its
   * half.
   */
  isDeaf: (() => boolean) | undefined = undefined;
  /** Whether the answer's head is sent. From then on, a failure can only cut the connection. */
  isStarted = false;
  /** Whether the answer is complete. */
  isEnded = false;
  /** Set when the client has left or was cut off. What is sent after that is dropped. */
  goneReason: Error | undefined = undefined;
  /** Why and when the app was asked to cancel (`onCancel`); the time is of `performance.now()`. */
  leaveReason: Error | undefined = undefined;
  leftAt = 0;

  protected isMute = false;
  private cancelListeners: ((reason: Error) => void)[] | undefined = undefined;
  private abortListeners: ((reason: Error) => void)[] | undefined = undefined;
  /** Made on first use: most requests have no body. */
  private body: RequestBody | undefined = undefined;

  constructor(head: RequestHead, transport: Source, startedAt: number) {
    this.head = head;
    this.transport = transport;
    this.startedAt = startedAt;
    this.ends = transport.ends;
  }

  get isHeadRequest(): boolean {
    return this.head.method === 'HEAD';
  }

  get minorVersion(): number {
    return this.head.minorVersion;
  }

  /** The client's or a proxy's; otherwise made when it is first read. */
  get requestId(): string {
    return requestIdOf(this.head, this.transport.requestIdHeader);
  }

  /** Whether the client still waits for permission to send its body (RFC 9110 §10.1.1). */
  get isAwaitingContinue(): boolean {
    return this.head.expectsContinue && !this.isWhole && this.body?.isUntouched !== false;
  }

  // The body.

  /** Begins to read the body. What has come until now is delivered at once. */
  readBody(sink: BodySink): void {
    if (this.isAwaitingContinue && !this.isStarted && !this.isGone) {
      this.transport.answer.continue();
      this.head.expectsContinue = false;
    }
    this.someBody.read(sink);
  }

  /** The reader so far stops, and another one will read the body from its beginning.
   * @param pieces what was read until now */
  giveBack(pieces: Pieces): void {
    this.someBody.giveBack(pieces);
  }

  /** Whether all of the body has come. */
  get isWhole(): boolean {
    return this.body === undefined ? !this.head.hasBody : this.body.isWhole;
  }

  /** Bytes of the body that have come and that the app has not read. */
  get unreadBytes(): number {
    return this.body === undefined ? 0 : this.body.unreadBytes;
  }

  resumeBody(): void {
    if (!this.isWhole) this.transport.resumeBody();
  }

  /** Whether an app that has answered may still get more of the body. */
  get isBodyPending(): boolean {
    return this.keepsBody && !this.isWhole && this.body?.isLost !== true;
  }

  /** The answer is complete, and the rest of the body will not be delivered. */
  loseBody(): void {
    if (this.isWhole || this.body?.isLost === true) return;
    this.someBody.lose();
    if (this.isEnded) this.transport.resumeBody();
  }

  /** From the connection: a piece of the body. The memory is the receiver's to keep. */
  takeBody(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    if (!this.isEnded || this.isBodyPending) this.someBody.take(bytes);
  }

  /** From the connection: that was all of the body. */
  endBody(): void {
    this.someBody.end();
  }

  private get someBody(): RequestBody {
    this.body ??= new RequestBody(this.transport, !this.head.hasBody);
    return this.body;
  }

  // The client's departure.

  /** Whether the client has left: what is sent from now on is dropped. */
  get isGone(): boolean {
    return this.isMute || this.goneReason !== undefined;
  }

  /** From the connection: what the app sends from now on is dropped, and `abort` follows. */
  mute(): void {
    this.isMute = true;
  }

  /**
   * Calls back once when the client seems to have gone: at the latest when `onAbort` does, but also when it has closed its
   * half of the connection. What is answered within a second is then still sent: see `departure.ts`.
   */
  onCancel(listener: (reason: Error) => void): void {
    if (this.leaveReason !== undefined) listener(this.leaveReason);
    else if (!this.isEnded) this.cancelListeners = added(this.cancelListeners, listener);
  }

  /** From the connection: the client has closed its half. */
  leave(reason: Error): void {
    if (this.leaveReason === undefined) this.leftAt = performance.now();
    this.leaveReason ??= reason;
    const listeners = this.cancelListeners ?? [];
    this.cancelListeners = undefined;
    for (const listener of listeners) listener(reason);
  }

  /** Calls back once if the client goes away, or is cut off, before the answer is complete. */
  onAbort(listener: (reason: Error) => void): void {
    if (this.goneReason !== undefined) listener(this.goneReason);
    else if (!this.isEnded) this.abortListeners = added(this.abortListeners, listener);
  }

  /** From the connection: there is nobody left to answer. */
  abort(reason: Error): void {
    if (this.goneReason !== undefined || this.isEnded) return;
    this.goneReason = reason;
    this.leave(reason);
    for (const listener of this.abortListeners ?? []) listener(reason);
    this.noteAborted();
  }

  /** Called last, after all listeners of the abort. */
  protected abstract noteAborted(): void;
}

/** A list of its own: those who call the listeners may be amid the one before. Nearly always it has one. */
function added<T>(before: readonly T[] | undefined, one: T): T[] {
  return before === undefined ? [one] : [...before, one];
}
