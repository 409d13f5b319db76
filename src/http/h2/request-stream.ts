/**
 * One request on a stream of an HTTP/2 connection. To its exchange it is the connection: the body comes in, the answer goes
 * out, and either may end early. It knows nothing of the other streams.
 */

import type { ServerHttp2Stream } from 'node:http2';
import type { OpenedStream } from '../../node/http2-streams.ts';
import { inFreshContext } from '../context.ts';
import type { Ends } from '../ends.ts';
import { ClientGone, HttpError } from '../errors.ts';
import type { Attachment, Exchange, Transport } from '../exchange.ts';
import { timingLine } from '../h1/timing.ts';
import type { Field } from '../h1/writer.ts';
import { RequestHead } from '../head.ts';
import type { Host } from '../host.ts';
import { HostTransport } from '../host-transport.ts';
import type { Member } from '../member-list.ts';
import { H2Answer } from './answer.ts';
import { ErrorCode } from './error-codes.ts';
import { readHead } from './head.ts';
import { type BodyOwner, IncomingBody } from './incoming-body.ts';
import { forget, listen, type StreamEvents } from './stream-events.ts';

/** What it needs of its connection. */
export interface Carrier {
  readonly ends: Ends;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The object by which the server knows the connection. */
  readonly known: object;
  /** Attachments of answered streams, which later streams use again. */
  readonly spares: Attachment[];
  /** The stream is closed. @param byClient whether its client has reset it */
  forget(stream: RequestStream, byClient: boolean): void;
}

const timingName = 'Server-Timing: '.length;

export class RequestStream extends HostTransport implements Member, BodyOwner, StreamEvents {
  place = -1;
  readonly ends: Ends;
  readonly answer: H2Answer;
  readonly isHttp2 = true;
  attachment: Attachment | undefined = undefined;
  private readonly carrier: Carrier;
  private readonly stream: OpenedStream;
  /** Undefined if there is none. */
  private readonly body: IncomingBody | undefined;
  /** Whether this side has cut the stream. */
  isCut = false;
  private isClosed = false;
  private hasEndedTurn = false;
  /** When the client must have taken more of the answer, in the server's coarse clock; 0 for no limit. */
  private stallDeadline = 0;
  private progress = 0;

  /**
   * @param isEnd whether no body follows
   * @param hasWaited whether other requests may have begun in the same callback
   */
  constructor(
    host: Host,
    carrier: Carrier,
    stream: OpenedStream,
    raw: readonly string[],
    isEnd: boolean,
    hasWaited: boolean,
  ) {
    super(host);
    this.carrier = carrier;
    this.stream = stream;
    this.ends = carrier.ends;
    this.body = isEnd ? undefined : new IncomingBody(host, stream.make(), this);
    const spare = carrier.spares.pop();
    if (isMovable(spare) && spare.moveTo(this)) this.attachment = spare;
    else spare?.takeClose();
    const head = new RequestHead();
    const problem = problemOf(() => readHead(head, raw, isEnd, host.limits, host.extras));
    const exchange = this.open(head);
    this.exchange = exchange;
    this.answer = new H2Answer(
      stream,
      exchange,
      host.heldAnswerBytes,
      host.heldAnswers?.open(),
      host.observers.isTimed ? () => this.timing : undefined,
    );
    stream.owner = this;
    if (stream.made !== undefined) listen(stream.made, this, !isEnd);
    this.body?.begin();
    if (problem === undefined) this.begin(exchange, hasWaited);
    else {
      exchange.outcome = 'refused';
      exchange.answer(problem);
    }
  }

  private begin(exchange: Exchange, hasWaited: boolean): void {
    const { host } = this;
    if (host.forwarding?.admit(exchange) === false) return;
    // Several of those that have waited begin one after another; otherwise Node calls for each stream by itself.
    exchange.settled = (hasWaited ? inFreshContext(() => host.handle(exchange)) : host.handle(exchange)) ?? undefined;
  }

  get isOver(): boolean {
    return this.isClosed;
  }

  isAnswering(exchange: Exchange): boolean {
    return this.exchange === exchange && !this.isClosed;
  }

  private get timing(): Field {
    return ['server-timing', timingLine(this.exchange!).slice(timingName, -2)];
  }

  /** Only without a body: for one, Node's stream has been there from the beginning. */
  takeMade(stream: ServerHttp2Stream): void {
    listen(stream, this, false);
  }

  // The request's body.

  takeBody(bytes: Buffer): void {
    this.body?.take(bytes);
  }

  takeTrailers(raw: readonly string[]): void {
    this.body?.takeTrailers(raw);
  }

  endBody(): void {
    this.body?.end();
  }

  pauseBody(): void {
    this.body?.pause();
  }

  resumeBody(): void {
    this.body?.resume();
  }

  get receivedBytes(): number {
    return this.body?.receivedBytes ?? 0;
  }

  // To the exchange.

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

  /** An answer of HTTP/2 does not say whether the connection persists. */
  mayPersist(): boolean {
    return true;
  }

  finish(exchange: Exchange): void {
    this.exchange = undefined;
    this.host.countRequest(exchange);
    this.body?.leave(exchange);
    this.endTurn();
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

  /** The app closes its connection. A complete answer is not affected. */
  hangUp(answered?: Exchange): void {
    const { exchange } = this;
    if (exchange === undefined || (answered !== undefined && answered !== exchange)) return;
    exchange.outcome = 'cut';
    this.reset(ErrorCode.cancel);
  }

  private reset(code: number): void {
    this.isCut = true;
    if (!this.stream.isOver) this.stream.make().close(code);
  }

  // The end.

  refuse(error: HttpError, reason: Error = new ClientGone(error.message)): void {
    const { exchange } = this;
    if (exchange === undefined) return this.body?.stop();
    if (exchange.isStarted) return this.cut();
    const substitute = exchange.replace(reason instanceof ClientGone ? 'refused' : 'overdue');
    exchange.abort(reason);
    this.exchange = substitute;
    this.answer.takeOver(substitute);
    substitute.answer(error);
  }

  /** From the server's sweep: checks whether the client is late. */
  expire(now: number): void {
    this.body?.expire(now);
    if (this.answer.pendingBytes === 0 || this.progress !== this.answer.progress) {
      this.progress = this.answer.progress;
      this.stallDeadline = 0;
    } else if (this.stallDeadline === 0) this.stallDeadline = this.host.deadlineIn(this.host.timeouts.bodyMs);
    else if (this.stallDeadline <= now) this.reset(ErrorCode.cancel);
  }

  /** The stream is closed, by either side. Acts once. */
  takeClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stream.owner = undefined;
    if (this.stream.made !== undefined) forget(this.stream.made);
    const { exchange } = this;
    this.exchange = undefined;
    this.answer.close();
    this.body?.close();
    this.endTurn();
    if (exchange !== undefined)
      this.abandon(exchange, new ClientGone('the client closed the stream, or its connection'));
    if (exchange === undefined && !this.isCut && isMovable(this.attachment)) this.carrier.spares.push(this.attachment);
    else this.attachment?.takeClose();
    this.attachment = undefined;
    this.carrier.forget(this, !this.isCut && this.stream.errorCode !== ErrorCode.none);
  }
}

/** An attachment that another stream of the same connection can use again. */
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
