/**
 * One request and its answer, as the server offers them to an app interface. Everything that an interface may do is
 * here, or in the base class for what comes in; what it means on the wire is the answer sink's, and the socket is the
 * connection's.
 */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { Bytes, Piece } from './answer-sink.ts';
import { AppError, HttpError, overdueAnswer } from './errors.ts';
import {
  writeInterimHead as checkInterim,
  checkTrailers,
  type Field,
  type Framing,
  type ResponseState,
} from './h1/writer.ts';
import type { Cost, Observed, Observers, Outcome } from './observers.ts';
import { ReceivedRequest } from './received-request.ts';
import type { BodySink } from './request-body.ts';
import type { ShownFailure, TransportOf } from './transport.ts';
import type { Attachment, Tunnel, TunnelEvents } from './tunnel.ts';

export type { Attachment, BodySink, Bytes, Piece, ShownFailure, Tunnel, TunnelEvents };

export type Transport = TransportOf<Exchange>;

export class Exchange extends ReceivedRequest<Transport> implements ResponseState, Observed {
  persists = true;
  isLenient = false;
  sendsDate = true;
  /** Ahead of the field about the connection, if that persists: how long it may be idle. */
  keepAliveLine = '';
  framing: Framing = 'none';
  contentLength = -1;
  /** The status as sent, empty before. */
  status = '';
  /** Settles when the app is done with it, which may be long after its answer or its client; it never rejects. */
  settled: Promise<void> | undefined = undefined;
  /** Whether the client has gone ahead of the end of a complete answer. */
  isLost = false;
  onDrain: (() => void) | undefined = undefined;
  /** Called once: the answer is complete and out, or nobody is there to take it. It may be the server's, in the app's place. */
  onOver: ((answered: Exchange) => void) | undefined = undefined;
  /** Told of it when it is over; undefined where nobody wants to hear. */
  observers: Observers | undefined = undefined;
  /** How it ends, or has ended. */
  outcome: Outcome = 'answered';
  /** Of the body, without what frames it. */
  sentBytes = 0;
  /** How long it waited for a thread, where somebody wants to know. */
  queueMs: number | undefined = undefined;
  /** What it takes, where somebody wants to know. */
  cost: Cost | undefined = undefined;
  /** When the answer must be complete, as `performance.now()` says it; 0 for never. */
  deadline = 0;
  /** Whether the deadline has passed and the app was told; from then on it cannot be put off. */
  isOverdue = false;

  private isTold = false;
  private fields: readonly Field[] = [];
  private fieldsElsewhere: (() => readonly Field[]) | undefined = undefined;
  private knownLength = -1;

  /**
   * Whether a client may take a plain end of the connection (FIN) for that of the answer, as in HTTP/1.0: then only a reset shows
   * that it is not complete.
   */
  get endsWithConnection(): boolean {
    return this.isStarted && this.minorVersion === 0;
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

  // The end.

  protected noteAborted(): void {
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
