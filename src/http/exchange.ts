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
  /** A field line that says how long a persistent connection may be idle; sent before `Connection`. */
  keepAliveLine = '';
  framing: Framing = 'none';
  contentLength = -1;
  /** The status, once it is sent; empty until then. */
  status = '';
  /**
   * Settles when the app is done with it, which may be long after the answer, or after the client has left. Never rejects.
   */
  settled: Promise<void> | undefined = undefined;
  /** Whether the client left before it had all of an answer that the app completed. */
  isLost = false;
  onDrain: (() => void) | undefined = undefined;
  /**
   * Called once: the answer is complete and sent, or the client has left. The server may have answered in the app's place.
   */
  onOver: ((answered: Exchange) => void) | undefined = undefined;
  /** They hear of the request when it is over; undefined if nothing observes requests. */
  observers: Observers | undefined = undefined;
  /** How the request ends, or has ended. */
  outcome: Outcome = 'answered';
  /** Of the body, without what frames it. */
  sentBytes = 0;
  /** How long it waited for a thread; undefined if that is not measured. */
  queueMs: number | undefined = undefined;
  /** What it takes of the worker; undefined if that is not measured. */
  cost: Cost | undefined = undefined;
  /** When the answer must be complete, by `performance.now()`; 0 if there is no limit. */
  deadline = 0;
  /** Whether the deadline has passed and the app knows it. From then on the deadline cannot be extended. */
  isOverdue = false;

  private isTold = false;
  private fields: readonly Field[] = [];
  private fieldsElsewhere: (() => readonly Field[]) | undefined = undefined;
  private knownLength = -1;

  /**
   * Whether the end of the connection (FIN) looks like the end of the answer, as in HTTP/1.0. Then only a reset shows that
   * the answer is not complete.
   */
  get endsWithConnection(): boolean {
    return this.isStarted && this.minorVersion === 0;
  }

  /** Another exchange for the same request, which the server answers in the app's place. It takes over the observers. */
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
    // Set before the bytes go: a transport may send the end together with them.
    this.isEnded = true;
    const { answer } = this.transport;
    try {
      if (length === 0) answer.flushHead();
      else answer.data(this, body, length);
    } catch (error) {
      // The body cannot be read: without its bytes the answer has not ended.
      this.isEnded = false;
      throw error;
    }
    this.transport.finish(this);
  }

  /**
   * Sets the status and fields of an answer whose body follows by `write`. They are sent with its first piece.
   * @param knownLength the body's length in bytes, or -1 if it is not known
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
    if (this.isEnded) throw new AppError('a body was written to after its end: end it after the last write');
    const length = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength;
    if (length === 0) return true;
    const isFirst = !this.isStarted;
    if (isFirst) this.sayHead(this.status, this.fields, this.knownLength);
    if (this.framing === 'length' && this.sentBytes + length > this.contentLength) {
      // Nothing was sent, so another answer is still possible.
      if (isFirst) this.isStarted = false;
      throw new AppError(`the body is longer than its Content-Length of ${this.contentLength}`);
    }
    if (this.framing !== 'none') this.sentBytes += length;
    return this.transport.answer.data(this, piece, length);
  }

  /** Sends the head before the body is there. */
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

  /** A response before the answer (RFC 9110 §15.2). HTTP/1.0 clients do not understand it, and get none. */
  sendInterim(status: string, fields: readonly Field[]): void {
    const isWanted = !this.isStarted && !this.isGone && this.minorVersion !== 0;
    // It is not sent, but checked all the same, so that the app learns of its mistakes.
    if (isWanted) this.transport.answer.interim(status, fields, this.isLenient);
    else checkInterim(status, fields, this.isLenient);
  }

  /**
   * The one place for failures. After the end of the answer nothing happens; after its beginning the connection is cut;
   * else the client gets a 500 without internals.
   */
  fail(error: unknown): void {
    if (this.isStarted && !this.isEnded && !this.isGone && this.transport.retract?.() === true) {
      this.isStarted = false;
      this.sentBytes = 0;
    }
    // First, while it is still known whether the answer had begun.
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

  /** Answers with an error, in one write. Nothing may have been sent yet. */
  answer({ statusLine, message }: HttpError): void {
    this.send(statusLine, [['Content-Type', 'text/plain; charset=utf-8']], `${statusLine}\n${message}\n`);
  }

  /** Extends the deadline, if there is one and it has not passed. */
  extendDeadline(seconds: number): void {
    if (!Number.isFinite(seconds) || seconds < 0)
      throw new AppError(`tsgun.extendDeadline takes a number of seconds, got ${String(seconds)}`);
    this.transport.extendDeadline(this, seconds * 1000);
  }

  /** Lets work go on after the answer. A worker that stops waits for it. */
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

  /** The request is over: reports it, once. */
  tellOver(): void {
    if (this.isLost && this.outcome === 'answered') this.outcome = 'aborted';
    const { cost, observers } = this;
    // The clock is read once for all of them: each reading shows in the figures of a small request.
    const now = cost === undefined && observers === undefined ? 0 : performance.now();
    cost?.end?.(now);
    this.onOver?.(this);
    this.onOver = undefined;
    this.tellObservers(now);
  }

  /** Observers shall not hear of this request. */
  disregard(): void {
    this.observers?.onDisregard?.(this);
    this.observers = undefined;
  }

  tellObservers(endedAt?: number): void {
    if (this.observers === undefined || this.isTold) return;
    this.isTold = true;
    this.observers.tell(this, this.outcome, endedAt);
  }

  /** How to read the answer's fields if another thread has written its head. Called only if they are asked for. */
  noteFields(read: () => readonly Field[]): void {
    this.fieldsElsewhere = read;
  }

  /** The answer's, as the app gave them. */
  get responseFields(): readonly Field[] {
    return this.fieldsElsewhere?.() ?? this.fields;
  }

  private sayHead(status: string, fields: readonly Field[], knownLength: number): void {
    if (status === '')
      throw new AppError('the body began before startResponse was called: call it before the first byte');
    this.persists = this.transport.mayPersist(this);
    this.transport.answer.head(this, status, fields, knownLength);
    this.status = status;
    this.isStarted = true;
  }

  private expectUnstarted(): void {
    if (this.isStarted)
      throw new AppError('the response has begun already: set its status and fields before the first byte of its body');
  }
}
