/**
 * One request and its answer, as the server offers them to an app interface. Everything that an interface may do is
 * here; what it means on the wire is the answer sink's, and the socket is the connection's.
 */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { AnswerSink, Bytes, Piece } from './answer-sink.ts';
import type { Ends } from './ends.ts';
import { AppError, HttpError, overdueAnswer } from './errors.ts';
import {
  writeInterimHead as checkInterim,
  checkTrailers,
  type Field,
  type Framing,
  type ResponseState,
} from './h1/writer.ts';
import type { RequestHead } from './head.ts';
import type { Cost, Observed, Observers, Outcome } from './observers.ts';
import type { Pieces } from './pieces.ts';
import { type BodySink, RequestBody } from './request-body.ts';
import { requestIdOf } from './request-id.ts';
import type { Attachment, Tunnel, TunnelEvents } from './tunnel.ts';

export type { Attachment, BodySink, Bytes, Piece, Tunnel, TunnelEvents };

/** An answer in place of a plain 500, for those who write the app. */
export interface ShownFailure {
  readonly fields: readonly Field[];
  readonly body: string;
}

/** What an exchange needs of its connection. */
export interface Transport {
  readonly ends: Ends;
  /** Where the answer goes. */
  readonly answer: AnswerSink;
  /** The field that carries a request's id, in small letters. */
  readonly requestIdHeader: string;
  /** What was sent and is not on its way to the client. Where some never will be, it stays above 0. */
  readonly pendingBytes: number;
  /** Of the connection, so far: what node apps may ask for. Not there in a thread. */
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** How long the client may leave the connection idle; 0 where none may, absent where it is not known. */
  readonly keepAliveMs?: number;
  /** Calls back in a later tick, when all that was sent until now is on its way; with an error where it never will be. */
  whenTaken(callback: (error?: Error) => void): void;
  pauseBody(): void;
  resumeBody(): void;
  /** Whether another request may follow this one. */
  mayPersist(exchange: Exchange): boolean;
  /** The answer is complete. */
  finish(exchange: Exchange): void;
  /** Takes back what was sent of the answer under way. @returns whether none of it was on the wire yet */
  retract?(): boolean;
  /** Ends the connection so that the client can tell that the answer is not complete. */
  cut(): void;
  /**
   * The app wants no more of this connection: once what it has answered is out. An answer under way ends with a plain end of
   * the connection (FIN), as in `node:http`, where that shows that it is not complete.
   * @param answered where given, the answers to requests behind that one are not cut, but the last ones
   */
  hangUp(answered?: Exchange): void;
  /** The app asks for more time, in milliseconds. */
  extendDeadline(exchange: Exchange, ms: number): void;
  /**
   * A failure that the client must not see the inside of.
   * @param isLate of work that was to go on after the answer, which does not depend on it
   */
  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void;
  /** What the client sees of a failure, where it may see the inside. */
  showFailure?: ((exchange: Exchange, error: unknown) => ShownFailure | undefined) | undefined;
  /** Work of the app that may go on after its answer, and never rejects: who leaves waits for it. */
  waitFor(work: Promise<void>): void;
  attachment?: Attachment | undefined;
  /** Whether it is a stream of HTTP/2. */
  readonly isHttp2?: boolean;
  /** What a server knows the connection by, where that carries several requests at once. */
  readonly connection?: object;
  /**
   * An app in a thread of its own has heard that its client has closed its half.
   * @param isOver whether it answers no more: see `endsWithClient`
   */
  noteEndHeard?(exchange: Exchange, isOver: boolean): void;
  /**
   * Gives the connection away, instead of an answer; absent where that cannot be done.
   * @returns with `rest`, the bytes that were read beyond the request
   */
  takeOver?(exchange: Exchange, events: TunnelEvents): { readonly tunnel: Tunnel; readonly rest: Buffer };
  /**
   * Gives the connection away for the app to answer in bytes of its own, after which it ends: a request that breaks the rules
   * (see `Extras.takeBroken`), or one whose answer has not begun. Nothing more is read.
   */
  takeBroken?(exchange: Exchange, events: TunnelEvents): Tunnel;
}

export class Exchange implements ResponseState, Observed {
  readonly head: RequestHead;
  readonly transport: Transport;
  readonly startedAt: number;
  /** Those of the connection, unless something in front of it says otherwise. */
  ends: Ends;

  persists = true;
  isLenient = false;
  sendsDate = true;
  /** Ahead of the field about the connection, if that persists: how long it may be idle. */
  keepAliveLine = '';
  /** Whether the body still comes when the answer is complete, as long as the connection goes on, until `loseBody`. */
  keepsBody = false;
  framing: Framing = 'none';
  contentLength = -1;
  /** The status as sent, empty before. */
  status = '';
  /** Settles when the app is done with it, which may be long after its answer or its client; it never rejects. */
  settled: Promise<void> | undefined = undefined;
  /** Whether a client that closes its half has left, as in `node:http`; else the app gets a second more to answer it. */
  endsWithClient = false;
  /** Where the app runs in a thread of its own: whether it is at work, and cannot have heard of its client's end yet. */
  isDeaf: (() => boolean) | undefined = undefined;
  /** Whether the head is on the wire: from then on a failure can only cut. */
  isStarted = false;
  isEnded = false;
  /** Whether the client has gone ahead of the end of a complete answer. */
  isLost = false;
  /** Set when the client has gone or was cut off; nothing sent from then on goes anywhere. */
  goneReason: Error | undefined = undefined;
  /** Why `onCancel` was called, or would have been, and when, as `performance.now()` says it. */
  leaveReason: Error | undefined = undefined;
  leftAt = 0;
  onDrain: (() => void) | undefined = undefined;
  /** Called once: the answer is complete and out, or nobody is there to take it. It may be the server's, in the app's place. */
  onOver: ((answered: Exchange) => void) | undefined = undefined;
  /** Told of it when it is over; undefined where nobody wants to hear. */
  observers: Observers | undefined = undefined;
  /** How it ends, or has ended. */
  outcome: Outcome = 'answered';
  /** Bytes of the bodies, without what frames them. */
  sentBytes = 0;
  receivedBytes = 0;
  /** How long it waited for a thread, where somebody wants to know. */
  queueMs: number | undefined = undefined;
  /** What it takes, where somebody wants to know. */
  cost: Cost | undefined = undefined;
  /** When the answer must be complete, as `performance.now()` says it; 0 for never. */
  deadline = 0;
  /** Whether the deadline has passed and the app was told; from then on it cannot be put off. */
  isOverdue = false;

  private isMute = false;
  private isTold = false;
  private fields: readonly Field[] = [];
  private fieldsElsewhere: (() => readonly Field[]) | undefined = undefined;
  private knownLength = -1;
  private cancelListeners: ((reason: Error) => void)[] | undefined = undefined;
  private abortListeners: ((reason: Error) => void)[] | undefined = undefined;
  /** Made when there is something to do: most requests have no body. */
  private body: RequestBody | undefined = undefined;

  constructor(head: RequestHead, transport: Transport, startedAt: number) {
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

  /**
   * Whether a client may take a plain end of the connection (FIN) for that of the answer, as in HTTP/1.0: then only a reset shows
   * that it is not complete.
   */
  get endsWithConnection(): boolean {
    return this.isStarted && this.minorVersion === 0;
  }

  /** Whether the client still waits for permission to send its body (RFC 9110 §10.1.1). */
  get isAwaitingContinue(): boolean {
    return this.head.expectsContinue && !this.isWhole && this.body?.isUntouched !== false;
  }

  /** Another one for the same request, to be answered in the app's stead. Who wants to hear of this one hears of that. */
  replace(outcome: Outcome): Exchange {
    const substitute = new Exchange(this.head, this.transport, this.startedAt);
    const { onOver, observers, receivedBytes, queueMs, cost, ends } = this;
    Object.assign(substitute, { onOver, observers, receivedBytes, queueMs, cost, ends, outcome });
    this.onOver = undefined;
    this.observers = undefined;
    this.cost = undefined;
    return substitute;
  }

  // The request's body.

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

  // The response.

  /** The whole answer at once, in one write. */
  send(status: string, fields: readonly Field[], body: Piece): void {
    if (this.isGone) return;
    this.expectUnstarted();
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.sayHead(status, fields, length);
    this.fields = fields;
    if (this.framing !== 'none') this.sentBytes = length;
    // Said ahead of the bytes: a transport may want to send the end along with them.
    this.isEnded = true;
    const { answer } = this.transport;
    if (length === 0) answer.flushHead();
    else answer.data(this, body, length);
    this.transport.finish(this);
  }

  /**
   * Says the status and fields of an answer whose body follows by `write`. They wait for its first piece.
   * @param knownLength the body's length in bytes where it is known, else -1
   */
  begin(status: string, fields: readonly Field[], knownLength = -1): void {
    this.expectUnstarted();
    this.status = status;
    this.fields = fields;
    this.knownLength = knownLength;
  }

  /** @returns false when the client is slower than the app: wait for `onDrain` */
  write(piece: Piece): boolean {
    if (this.isGone) return false;
    if (this.isEnded) throw new AppError('written to after its end');
    const length = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength;
    if (length === 0) return true;
    const isFirst = !this.isStarted;
    if (isFirst) this.sayHead(this.status, this.fields, this.knownLength);
    if (this.framing === 'length' && this.sentBytes + length > this.contentLength) {
      // Nothing was sent: there can be another answer.
      if (isFirst) this.isStarted = false;
      throw new AppError(`the body is longer than its Content-Length of ${this.contentLength}`);
    }
    if (this.framing !== 'none') this.sentBytes += length;
    return this.transport.answer.data(this, piece, length);
  }

  /** Sends the head ahead of the body. */
  sendHead(): void {
    if (this.isStarted || this.isGone) return;
    this.sayHead(this.status, this.fields, this.knownLength);
    this.transport.answer.flushHead();
  }

  /**
   * The answer is complete. One shorter than its Content-Length is cut, so that the client does not wait for the rest.
   * @param trailers only a chunked body can have them
   */
  end(trailers: readonly Field[] = []): void {
    if (this.isEnded || this.isGone) return;
    const last = checkTrailers(trailers);
    const { answer } = this.transport;
    if (!this.isStarted) {
      this.sayHead(this.status, this.fields, trailers.length === 0 ? 0 : -1);
      answer.flushHead();
    }
    if (this.framing === 'length' && this.sentBytes < this.contentLength)
      throw new AppError(`the body has ${this.sentBytes} bytes, but its Content-Length says ${this.contentLength}`);
    this.isEnded = true;
    answer.end(this, last);
    this.transport.finish(this);
  }

  /** 103 Early Hints (RFC 8297). */
  sendEarlyHints(fields: readonly Field[]): void {
    this.sendInterim('103 Early Hints', fields);
  }

  /** A response ahead of the answer (RFC 9110 §15.2), which HTTP/1.0 clients would not understand. */
  sendInterim(status: string, fields: readonly Field[]): void {
    const isWanted = !this.isStarted && !this.isGone && this.minorVersion !== 0;
    // Nobody hears it, but an app is told of its mistakes all the same.
    if (isWanted) this.transport.answer.interim(status, fields, this.isLenient);
    else checkInterim(status, fields, this.isLenient);
  }

  /** The one way for failures: ended, nothing; begun, the connection is cut; else a 500 that shows no internals. */
  fail(error: unknown): void {
    if (this.isStarted && !this.isEnded && !this.isGone && this.transport.retract?.() === true) {
      this.isStarted = false;
      this.sentBytes = 0;
    }
    // First, while it can be seen whether the answer had begun.
    this.transport.logFailure(this, error);
    if (this.isEnded || this.isGone) return;
    if (this.isStarted) {
      this.isMute = true;
      this.transport.cut();
    } else if (this.isOverdue) this.answer(overdueAnswer());
    else {
      const shown = this.transport.showFailure?.(this, error);
      if (shown === undefined) this.answer(new HttpError(500, 'the application failed'));
      else this.send('500 Internal Server Error', shown.fields, shown.body);
    }
  }

  /** Answers with an error, in one write, if nothing was sent yet. */
  answer({ statusLine, message }: HttpError): void {
    this.send(statusLine, [['Content-Type', 'text/plain; charset=utf-8']], `${statusLine}\n${message}\n`);
  }

  /** Puts the deadline off, where there is one and it has not passed yet. */
  extendDeadline(seconds: number): void {
    if (!Number.isFinite(seconds) || seconds < 0)
      throw new AppError(`tsgun.extendDeadline takes a number of seconds, got ${String(seconds)}`);
    this.transport.extendDeadline(this, seconds * 1000);
  }

  /** Lets work go on after the answer: a worker that leaves waits for it. */
  waitUntil(work: PromiseLike<unknown>): void {
    if (typeof (work as PromiseLike<unknown> | undefined)?.then !== 'function')
      throw new AppError(`waitUntil takes a promise, got ${typeof work}`);
    const late = (error: unknown) => this.transport.logFailure(this, error, true);
    this.transport.waitFor(Promise.resolve(work).then(() => {}, late));
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
    this.onDrain?.();
    if (this.outcome === 'answered') this.outcome = 'aborted';
    this.tellOver();
  }

  /** Nothing more is to come of it. */
  tellOver(): void {
    if (this.isLost && this.outcome === 'answered') this.outcome = 'aborted';
    const { cost, observers } = this;
    // One look at the clock for all: each shows in the figures of a small request.
    const now = cost === undefined && observers === undefined ? 0 : performance.now();
    cost?.end?.(now);
    this.onOver?.(this);
    this.onOver = undefined;
    this.tellObservers(now);
  }

  /** Nobody is to hear of it. */
  disregard(): void {
    this.observers?.onDisregard?.(this);
    this.observers = undefined;
  }

  tellObservers(endedAt?: number): void {
    if (this.observers === undefined || this.isTold) return;
    this.isTold = true;
    this.observers.tell(this, this.outcome, endedAt);
  }

  /** The answer's, where another thread has written its head: read only if somebody asks. */
  noteFields(read: () => readonly Field[]): void {
    this.fieldsElsewhere = read;
  }

  /** The client's or a proxy's, else made at the first look. */
  get requestId(): string {
    return requestIdOf(this.head, this.transport.requestIdHeader);
  }

  /** The answer's, as the app gave them. */
  get responseFields(): readonly Field[] {
    return this.fieldsElsewhere?.() ?? this.fields;
  }

  private sayHead(status: string, fields: readonly Field[], knownLength: number): void {
    if (status === '') throw new AppError('the body began before startResponse was called');
    this.persists = this.transport.mayPersist(this);
    this.transport.answer.head(this, status, fields, knownLength);
    this.status = status;
    this.isStarted = true;
  }

  private expectUnstarted(): void {
    if (this.isStarted) throw new AppError('the response has begun already');
  }
}
