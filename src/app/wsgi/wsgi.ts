/**
 * The wsgi interface: runs `(env, startResponse) => body` for an exchange, by the rules of PEP 3333. An app may be sync or
 * async, and so may its body; a sync app with a list for a body is answered without a promise or a tick in between.
 */

import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../http/errors.ts';
import type { Exchange, Piece } from '../../http/exchange.ts';
import type { Handler, HandlerOptions } from '../handler.ts';
import { isPromise } from '../promise.ts';
import type { App, Body, Header, Write } from '../types.ts';
import { environMaker } from './environ.ts';
import { FailedWrite } from './failed-write.ts';

export function wsgiHandler(app: App, options: HandlerOptions): Handler {
  const makeEnviron = environMaker(options);
  return (exchange) => {
    const response = new Response(exchange);
    let body: Body | Promise<Body>;
    try {
      body = app(makeEnviron(exchange), (status, headers, excInfo) => response.start(status, headers, excInfo));
      if (!isPromise(body)) {
        response.send(body);
        return undefined;
      }
    } catch (error) {
      response.fail(error);
      return undefined;
    }
    return body.then((body) => response.send(body)).catch((error) => response.fail(error));
  };
}

class Response {
  private readonly exchange: Exchange;
  private status = '';
  private headers: readonly Header[] = [];
  /** Bytes in the whole body where all of it is at hand, else -1. */
  private knownLength = -1;
  /** Its Content-Length, or -1 without one; undefined until somebody asks. */
  private announced: number | undefined = undefined;
  /** What a `write` failed with that nobody awaits: the request fails with it at its next step. */
  private failure: unknown = undefined;
  private draining: Promise<void> | undefined = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** start_response: PEP 3333, "The start_response() Callable". */
  start(status: string, headers: readonly Header[], excInfo?: unknown): Write {
    // `null` stands for Python's None.
    const isCorrection = excInfo !== undefined && excInfo !== null;
    if (isCorrection && this.exchange.isStarted) throw excInfo;
    if (!isCorrection && this.status !== '')
      throw new AppError('startResponse was called twice; the second call needs excInfo');
    if (!Array.isArray(headers)) throw new AppError('startResponse needs a list of [name, value] pairs for headers');
    this.status = status;
    this.headers = headers;
    this.announced = undefined;
    this.failure = undefined;
    return (piece) => this.write(piece);
  }

  /** The `write` callable: sends at once, ahead of the body that the app returns. */
  private write(piece: Piece): Promise<void> {
    const { exchange } = this;
    try {
      const isTaking = this.pass(checkPiece(piece));
      // Each takes a turn of the event loop: an app that goes on writing must not keep everyone else waiting.
      if (exchange.isGone) return setImmediate();
      return isTaking ? taken : this.drained();
    } catch (error) {
      const isFirst = this.failure === undefined;
      this.failure = error;
      if (!exchange.isEnded) return new FailedWrite(error, () => (this.failure = undefined));
      // The answer is complete: there is no request left to fail.
      if (isFirst) exchange.fail(error);
      return setImmediate();
    }
  }

  /** Fails the request with what escaped the app. */
  fail(error: unknown): void {
    const { exchange, failure } = this;
    if (failure !== undefined && failure !== error) exchange.transport.logFailure(exchange, failure);
    exchange.fail(error);
  }

  send(body: Body): void | Promise<void> {
    if (typeof body === 'string' || body instanceof Uint8Array) return this.sendList([body], undefined);
    if (Array.isArray(body)) return this.sendList(body, body as Body);
    if (typeof body !== 'object' || body === null) throw new AppError(`an app returns an iterable body, not ${body}`);
    if (Symbol.asyncIterator in body) return this.sendIterator(body[Symbol.asyncIterator](), body);
    if (Symbol.iterator in body) return this.sendIterator(body[Symbol.iterator](), body);
    throw new AppError('an app returns an iterable body: a list, a generator, a stream');
  }

  /** All of the body is at hand, so its length is known, and one write can do. */
  private sendList(pieces: readonly Piece[], body: Body | undefined): void {
    try {
      if (this.exchange.isStarted) this.sendPieces(pieces);
      else if (pieces.length === 1) this.sendWhole(checkPiece(pieces[0]));
      else if (pieces.every((piece) => typeof piece === 'string')) this.sendWhole(pieces.join(''));
      else {
        this.knownLength = pieces.reduce<number>((sum, piece) => sum + byteLength(piece), 0);
        this.sendPieces(pieces);
      }
    } finally {
      if (body !== undefined && 'close' in body) void this.close(body);
    }
  }

  private sendPieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.pass(checkPiece(piece));
    this.finish();
  }

  private sendWhole(piece: Piece): void {
    this.expectSound();
    this.exchange.send(this.status, this.headers, piece);
  }

  /** Asks for a piece only when the client has taken the ones before. */
  private async sendIterator(iterator: AsyncIterator<Piece> | Iterator<Piece>, body: Body): Promise<void> {
    const { exchange } = this;
    let isReleased = false;
    const release = (isDone: boolean) => {
      if (isReleased) return;
      isReleased = true;
      if (!isDone) endIterator(iterator);
      void this.close(body);
    };
    // At once, not in its turn: a body that waits for something may wait for ever.
    exchange.onAbort(() => release(false));
    try {
      let ahead: Step | Promise<Step> | undefined;
      while (!exchange.isGone) {
        const step = ahead ?? iterator.next();
        ahead = undefined;
        const { done, value } = isPromise(step) ? await step : step;
        if (done) {
          release(true);
          return this.finish();
        }
        const piece = checkPiece(value);
        if (this.completes(piece)) {
          ahead = iterator.next();
          this.expectEnd(isPromise(ahead) ? await withinTurn(ahead) : ahead);
        }
        if (!this.pass(piece) && !exchange.isGone) await this.drained();
      }
    } catch (error) {
      release(false);
      this.fail(error);
    }
    release(false);
  }

  /** Whether the client will take the answer for complete with this piece. */
  private completes(piece: Piece): boolean {
    if (this.announced === undefined) this.announced = lengthIn(this.headers);
    return this.announced >= 0 && this.exchange.sentBytes + byteLength(piece) === this.announced;
  }

  /** The last piece has not gone out: the client can still see that the answer failed. @param found what follows it, if known */
  private expectEnd(found: Step | undefined): void {
    if (found === undefined || found.done === true || checkPiece(found.value).length === 0) return;
    throw new AppError(`the body is longer than its Content-Length of ${this.announced}`);
  }

  /** @returns false when the client is slower than the app */
  private pass(piece: Piece): boolean {
    if (piece.length === 0 || this.exchange.isGone) return true;
    this.expectSound();
    if (!this.exchange.isStarted) this.exchange.begin(this.status, this.headers, this.knownLength);
    return this.exchange.write(piece);
  }

  private finish(): void {
    if (this.exchange.isGone) return;
    this.expectSound();
    if (this.exchange.isStarted) this.exchange.end();
    else this.exchange.send(this.status, this.headers, '');
  }

  private expectSound(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.status === '') throw new AppError('the app did not call startResponse before its body');
  }

  /** One for all that wait: unawaited writes, and the body that is returned after them. */
  private drained(): Promise<void> {
    this.draining ??= new Promise((resolve) => {
      this.exchange.onDrain = () => {
        this.exchange.onDrain = undefined;
        this.draining = undefined;
        resolve();
      };
    });
    return this.draining;
  }

  /** close() is called however the answer ended (PEP 3333, "Buffering and Streaming"); its own failure is only logged. */
  private async close(body: Body): Promise<void> {
    try {
      if ('close' in body) await body.close();
    } catch (error) {
      this.exchange.transport.logFailure(this.exchange, error);
    }
  }
}

type Step = IteratorResult<Piece>;

const taken = Promise.resolve();

/** A body may do something else before it ends, so its last piece waits for a turn of the event loop at most. */
function withinTurn(step: Promise<Step>): Promise<Step | undefined> {
  return Promise.race([step, setImmediate(undefined)]);
}

/** @param headers not checked yet @returns -1 if none of them is a Content-Length */
function lengthIn(headers: readonly unknown[]): number {
  for (const header of headers)
    if (Array.isArray(header) && String(header[0]).toLowerCase() === 'content-length') return Number(header[1]);
  return -1;
}

function byteLength(piece: unknown): number {
  const checked = checkPiece(piece);
  return typeof checked === 'string' ? Buffer.byteLength(checked) : checked.byteLength;
}

function checkPiece(piece: unknown): Piece {
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  throw new AppError(`a body is made of texts and byte arrays, got ${piece === null ? 'null' : typeof piece}`);
}

function endIterator(iterator: AsyncIterator<Piece> | Iterator<Piece>): void {
  try {
    const step = iterator.return?.();
    if (isPromise(step)) step.catch(() => {});
  } catch {
    // The client has gone: there is nobody left to tell.
  }
}
