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
  /** Those of the connection, unless something in front of it says otherwise. */
  ends: Ends;

  /** Whether the body still comes when the answer is complete, as long as the connection goes on, until `loseBody`. */
  keepsBody = false;
  /** Of the body, without what frames it. */
  receivedBytes = 0;
  /** Whether a client that closes its half has left, as in `node:http`; else the app gets a second more to answer it. */
  endsWithClient = false;
  /** Where the app runs in a thread of its own: whether it is at work, and cannot have heard of its client's end yet. */
  isDeaf: (() => boolean) | undefined = undefined;
  /** Whether the answer's head is on the wire: from then on a failure can only cut. */
  isStarted = false;
  /** Whether the answer is complete. */
  isEnded = false;
  /** Set when the client has gone or was cut off; nothing sent from then on goes anywhere. */
  goneReason: Error | undefined = undefined;
  /** Why `onCancel` was called, or would have been, and when, as `performance.now()` says it. */
  leaveReason: Error | undefined = undefined;
  leftAt = 0;

  protected isMute = false;
  private cancelListeners: ((reason: Error) => void)[] | undefined = undefined;
  private abortListeners: ((reason: Error) => void)[] | undefined = undefined;
  /** Made when there is something to do: most requests have no body. */
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

  /** The client's or a proxy's, else made at the first look. */
  get requestId(): string {
    return requestIdOf(this.head, this.transport.requestIdHeader);
  }

  /** Whether the client still waits for permission to send its body (RFC 9110 §10.1.1). */
  get isAwaitingContinue(): boolean {
    return this.head.expectsContinue && !this.isWhole && this.body?.isUntouched !== false;
  }

  // The body.

  /** Begins to read the body. What has come already is delivered at once. */
  readBody(sink: BodySink): void {
    if (this.isAwaitingContinue && !this.isStarted && !this.isGone) {
      this.transport.answer.continue();
      this.head.expectsContinue = false;
    }
    this.someBody.read(sink);
  }

  /** Who has read the body so far reads no further: it is another's, from its beginning. */
  giveBack(pieces: Pieces): void {
    this.someBody.giveBack(pieces);
  }

  /** Whether all of the body has come. */
  get isWhole(): boolean {
    return this.body === undefined ? !this.head.hasBody : this.body.isWhole;
  }

  /** Bytes of the body that came and that the app did not ask for. */
  get unreadBytes(): number {
    return this.body === undefined ? 0 : this.body.unreadBytes;
  }

  resumeBody(): void {
    if (!this.isWhole) this.transport.resumeBody();
  }

  /** Whether more of the body may come for an app that has answered. */
  get isBodyPending(): boolean {
    return this.keepsBody && !this.isWhole && this.body?.isLost !== true;
  }

  /** The answer is complete, and the rest of the body does not come any more, or nobody wants it. */
  loseBody(): void {
    if (this.isWhole || this.body?.isLost === true) return;
    this.someBody.lose();
    if (this.isEnded) this.transport.resumeBody();
  }

  /** From the connection: a piece of the body, to keep. */
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

  /** Whether nothing that is sent from now on goes anywhere. */
  get isGone(): boolean {
    return this.isMute || this.goneReason !== undefined;
  }

  /** From the connection: nothing more is sent, and `abort` follows. */
  mute(): void {
    this.isMute = true;
  }

  /**
   * Calls back once when the client seems to have gone: at the latest when `onAbort` does, but also when it has closed its
   * half of the connection. What is answered within a second is then still sent: see `departure.ts`.
   */
  onCancel(listener: (reason: Error) => void): void {
    if (this.leaveReason !== undefined) listener(this.leaveReason);
    else if (!this.isEnded) this.cancelListeners = [...(this.cancelListeners ?? []), listener];
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
    else if (!this.isEnded) this.abortListeners = [...(this.abortListeners ?? []), listener];
  }

  /** From the connection: there is nobody left to answer. */
  abort(reason: Error): void {
    if (this.goneReason !== undefined || this.isEnded) return;
    this.goneReason = reason;
    this.leave(reason);
    for (const listener of this.abortListeners ?? []) listener(reason);
    this.noteAborted();
  }

  /** Who wanted to hear of the abort has heard of it. */
  protected abstract noteAborted(): void;
}
