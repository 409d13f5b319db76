/**
 * One request on a stream of an HTTP/2 connection, and what its exchange has for a connection: bodies in, the answer out, and
 * the end of both. It knows nothing of the other streams.
 */

import type { ServerHttp2Stream } from 'node:http2';
import { contextsStay, inFreshContext } from '../context.ts';
import type { Ends } from '../ends.ts';
import { ClientGone, HttpError, overdueAnswer, timeoutError } from '../errors.ts';
import { type Attachment, Exchange, type ShownFailure, type Transport } from '../exchange.ts';
import type { Host } from '../h1/host.ts';
import { timingLine } from '../h1/timing.ts';
import { earlier } from '../h1/waits.ts';
import type { Field } from '../h1/writer.ts';
import { RequestHead } from '../head.ts';
import { maxDrainBytes } from '../limits.ts';
import type { Member } from '../member-list.ts';
import { checkDeadline } from '../overdue.ts';
import { H2Answer } from './answer.ts';
import { readHead, readTrailers } from './head.ts';

/** Error codes of RFC 9113 §7. */
export const ErrorCode = { none: 0, internal: 2, cancel: 8, enhanceYourCalm: 11 } as const;

/** What it needs of its connection. */
export interface Carrier {
  readonly ends: Ends;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What the server knows the connection by. */
  readonly known: object;
  /** What interfaces have kept for streams that are answered: for others to come. */
  readonly spares: Attachment[];
  /** The stream is closed. @param byClient whether its client has reset it */
  forget(stream: RequestStream, byClient: boolean): void;
}

const timingName = 'Server-Timing: '.length;

export class RequestStream implements Transport, Member {
  place = -1;
  readonly ends: Ends;
  readonly answer: H2Answer;
  readonly isHttp2 = true;
  attachment: Attachment | undefined = undefined;
  /** The request that is being answered. */
  exchange: Exchange | undefined;
  /** Bytes of the body that came. */
  receivedBytes = 0;
  private readonly host: Host;
  private readonly carrier: Carrier;
  private readonly stream: ServerHttp2Stream;
  /** It is answered, and the app still reads its body. */
  private answered: Exchange | undefined = undefined;
  private isWhole: boolean;
  /** Whether this side has ended the stream ahead of its time. */
  private isCut = false;
  private isClosed = false;
  private hasEndedTurn = false;
  private isStopping = false;
  /** When the client is late with its body, or with taking the answer, in the server's coarse clock; 0 for never. */
  private bodyDeadline = 0;
  /** When all of the body must have come; 0 where that is not limited. */
  private receiveEnd = 0;
  private stallDeadline = 0;
  private progress = 0;
  /** Bytes of the body thrown away since the answer was complete. */
  private drainedBytes = 0;

  /** @param isEnd whether no body follows */
  constructor(host: Host, carrier: Carrier, stream: ServerHttp2Stream, raw: readonly string[], isEnd: boolean) {
    this.host = host;
    this.carrier = carrier;
    this.stream = stream;
    this.ends = carrier.ends;
    this.isWhole = isEnd;
    const spare = carrier.spares.pop();
    if (isMovable(spare) && spare.moveTo(this)) this.attachment = spare;
    else spare?.takeClose();
    const head = new RequestHead();
    const problem = problemOf(() => readHead(head, raw, isEnd, host.limits, host.extras));
    const { requestMs } = host.timeouts;
    const { observers } = host;
    const isTimed = requestMs !== 0 || observers.isWatched;
    const exchange = new Exchange(head, this, isTimed ? performance.now() : host.now);
    if (observers.isWatched) {
      exchange.observers = observers;
      observers.onBegin?.(exchange);
    }
    if (requestMs !== 0) exchange.deadline = exchange.startedAt + requestMs;
    this.exchange = exchange;
    this.answer = new H2Answer(
      stream,
      exchange,
      host.heldAnswerBytes,
      host.heldAnswers?.open(),
      observers.isTimed ? () => this.timing : undefined,
    );
    (stream as Owned)[owner] = this;
    stream.on('aborted', takeClose);
    stream.on('close', takeClose);
    if (!isEnd) this.readBody();
    if (problem === undefined) this.begin(exchange);
    else {
      exchange.outcome = 'refused';
      exchange.answer(problem);
    }
  }

  private begin(exchange: Exchange): void {
    const { host } = this;
    if (host.forwarding?.admit(exchange) === false) return;
    exchange.settled =
      (contextsStay ? inFreshContext(() => host.handle(exchange)) : host.handle(exchange)) ?? undefined;
  }

  get isOver(): boolean {
    return this.isClosed;
  }

  private get timing(): Field {
    return ['server-timing', timingLine(this.exchange!).slice(timingName, -2)];
  }

  // The request's body.

  private readBody(): void {
    const { stream } = this;
    this.receiveEnd = this.host.deadlineIn(this.host.timeouts.receiveMs ?? 0);
    this.awaitBody();
    stream.on('data', takeBody);
    stream.on('trailers', takeTrailers);
    stream.on('end', endBody);
  }

  private awaitBody(): void {
    this.bodyDeadline = earlier(this.host.deadlineIn(this.host.timeouts.bodyMs), this.receiveEnd);
  }

  takeTrailers(raw: readonly string[]): void {
    const { head } = this.exchange ?? this.answered ?? {};
    if (head !== undefined) head.trailers = readTrailers(raw, this.host.limits);
  }

  takeBody(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    this.awaitBody();
    const { bodyBytes } = this.host.limits;
    if (bodyBytes > 0 && this.receivedBytes > bodyBytes)
      return this.refuse(new HttpError(413, 'the body is too large'));
    const { answered } = this;
    const taker = this.exchange ?? (answered?.isBodyPending === true ? answered : undefined);
    if (taker !== undefined) return taker.takeBody(bytes);
    this.drainedBytes += bytes.length;
    if (this.drainedBytes > maxDrainBytes) this.stopBody();
  }

  endBody(): void {
    if (this.isClosed || this.isCut) return;
    this.isWhole = true;
    this.bodyDeadline = 0;
    (this.exchange ?? this.answered)?.endBody();
    this.answered = undefined;
  }

  pauseBody(): void {
    this.bodyDeadline = 0;
    this.stream.pause();
  }

  resumeBody(): void {
    if (this.isWhole || this.isClosed) return;
    this.awaitBody();
    this.stream.resume();
  }

  // To the exchange.

  get requestIdHeader(): string {
    return this.host.requestIdHeader;
  }

  get pendingBytes(): number {
    return this.answer.pendingBytes;
  }

  get bytesRead(): number {
    return this.carrier.bytesRead;
  }

  get bytesWritten(): number {
    return this.carrier.bytesWritten;
  }

  /** The object by which a worker class knows the connection. */
  get connection(): object {
    return this.carrier.known;
  }

  whenTaken(callback: (error?: Error) => void): void {
    this.answer.whenTaken(callback);
  }

  /** How a connection goes on has no part in an answer of HTTP/2. */
  mayPersist(): boolean {
    return true;
  }

  finish(exchange: Exchange): void {
    this.exchange = undefined;
    this.host.countRequest(exchange);
    if (this.isWhole) exchange.loseBody();
    else if (exchange.isBodyPending) this.answered = exchange;
    else this.drainBody(exchange);
    this.endTurn();
  }

  /** Nobody wants the rest of the body. Some of it is read on: there are clients that do not look at their answer before. */
  private drainBody(exchange: Exchange): void {
    exchange.loseBody();
    this.drainedBytes = exchange.unreadBytes;
    this.resumeBody();
  }

  /** Says so, once the client has its answer (RFC 9113 §8.1). */
  private stopBody(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.bodyDeadline = 0;
    this.stream.pause();
    const stop = () => this.stream.close(ErrorCode.none);
    if (this.stream.writableFinished) stop();
    else this.stream.once('finish', stop);
  }

  private endTurn(): void {
    if (this.hasEndedTurn) return;
    this.hasEndedTurn = true;
    this.host.onLastRequest?.(this);
  }

  cut(): void {
    const { exchange } = this;
    if (exchange !== undefined) exchange.outcome = 'cut';
    this.reset(ErrorCode.internal);
  }

  /** The app wants no more of its client. What is answered in full stays so. */
  hangUp(answered?: Exchange): void {
    const { exchange } = this;
    if (exchange === undefined || (answered !== undefined && answered !== exchange)) return;
    exchange.outcome = 'cut';
    this.reset(ErrorCode.cancel);
  }

  private reset(code: number): void {
    this.isCut = true;
    if (!this.stream.closed && !this.stream.destroyed) this.stream.close(code);
  }

  extendDeadline(exchange: Exchange, ms: number): void {
    if (exchange.deadline !== 0 && !exchange.isOverdue) exchange.deadline += ms;
  }

  showFailure(exchange: Exchange, error: unknown): ShownFailure | undefined {
    return this.host.showFailure?.(exchange, error);
  }

  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void {
    this.host.onFailure(exchange, error, isLate);
  }

  waitFor(work: Promise<void>): void {
    this.host.waitFor(work);
  }

  // The end.

  /** Answers in the app's stead, or cuts what has begun. */
  private refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const { exchange } = this;
    if (exchange === undefined) return this.stopBody();
    if (exchange.isStarted) return this.cut();
    const substitute = exchange.replace(reason instanceof ClientGone ? 'refused' : 'overdue');
    exchange.abort(reason);
    this.exchange = substitute;
    this.answer.takeOver(substitute);
    substitute.answer(error);
  }

  /** From the server: looks whether the request is late. @returns when to look again */
  checkRequest(now: number): number {
    const { exchange, host } = this;
    return checkDeadline(exchange, now, (ms) =>
      host.onTimeout(exchange!, ms, () => {
        if (this.exchange === exchange && !this.isClosed) this.refuse(overdueAnswer(), timeoutError());
      }),
    );
  }

  /** From the server's sweep: looks whether the client is late. */
  expire(now: number): void {
    const isDrained = this.exchange === undefined && this.answered === undefined;
    if (isDrained && !this.isWhole && this.host.isDraining) this.stopBody();
    if (this.bodyDeadline !== 0 && this.bodyDeadline <= now && this.exchange?.isAwaitingContinue !== true) {
      this.bodyDeadline = 0;
      this.refuse(new HttpError(408, 'the request body took too long'));
    }
    if (this.answer.pendingBytes === 0 || this.progress !== this.answer.progress) {
      this.progress = this.answer.progress;
      this.stallDeadline = 0;
    } else if (this.stallDeadline === 0) this.stallDeadline = this.host.deadlineIn(this.host.timeouts.bodyMs);
    else if (this.stallDeadline <= now) this.reset(ErrorCode.cancel);
  }

  /** Once: the stream is closed, by whomever. */
  takeClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    (this.stream as Owned)[owner] = undefined;
    const { exchange, answered } = this;
    this.exchange = undefined;
    this.answered = undefined;
    this.answer.close();
    answered?.loseBody();
    this.endTurn();
    if (exchange !== undefined) {
      exchange.abort(new ClientGone('the client closed the stream, or its connection'));
      this.host.noteLeft(exchange);
    }
    if (exchange === undefined && !this.isCut && isMovable(this.attachment)) this.carrier.spares.push(this.attachment);
    else this.attachment?.takeClose();
    this.attachment = undefined;
    this.carrier.forget(this, !this.isCut && this.stream.rstCode !== ErrorCode.none);
  }

  /** The process is about to end. */
  tellUnfinished(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    if (!exchange.isEnded) exchange.outcome = 'cut';
    exchange.tellObservers();
  }
}

/**
 * Node keeps a stream for some collections of garbage after its end: what listens to it must not keep the request too. Without
 * this, a third of the CPU time goes to the collector.
 */
const owner = Symbol('tsgun');

interface Owned extends ServerHttp2Stream {
  [owner]?: RequestStream | undefined;
}

function takeClose(this: Owned): void {
  this[owner]?.takeClose();
}

function takeBody(this: Owned, bytes: Buffer): void {
  this[owner]?.takeBody(bytes);
}

function takeTrailers(this: Owned, _fields: object, _flags: number, raw: readonly string[] = []): void {
  this[owner]?.takeTrailers(raw);
}

function endBody(this: Owned): void {
  this[owner]?.endBody();
}

/** What an interface keeps for a connection, and can as well be kept for another stream of it. */
interface Movable extends Attachment {
  moveTo(transport: Transport): boolean;
}

function isMovable(attachment: Attachment | undefined): attachment is Movable {
  return typeof (attachment as Partial<Movable> | undefined)?.moveTo === 'function';
}

function problemOf(action: () => void): HttpError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
}
