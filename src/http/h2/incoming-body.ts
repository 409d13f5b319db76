/** The body of a request on a stream: who gets it, how long it may take, and what happens if the app does not read it. */

import type { ServerHttp2Stream } from 'node:http2';
import { HttpError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { earlier } from '../h1/waits.ts';
import type { Host } from '../host.ts';
import { maxDrainBytes } from '../limits.ts';
import { ErrorCode } from './error-codes.ts';
import { readTrailers } from './head.ts';

/** What it needs of its request. */
export interface BodyOwner {
  /** The request that is being answered. */
  readonly exchange: Exchange | undefined;
  /** Whether the stream is closed. */
  readonly isOver: boolean;
  /** Whether this side has cut it. */
  readonly isCut: boolean;
  /** Answers in the app's place. */
  refuse(error: HttpError): void;
}

export class IncomingBody {
  /** Bytes that have come. */
  receivedBytes = 0;
  isWhole = false;
  private readonly host: Host;
  private readonly stream: ServerHttp2Stream;
  private readonly owner: BodyOwner;
  /** A request that is answered while the app still reads its body. */
  private answered: Exchange | undefined = undefined;
  private isStopping = false;
  /** When the next piece must have come, in the server's coarse clock; 0 for no limit. */
  private deadline = 0;
  /** When all of it must have come; 0 for no limit. */
  private receiveEnd = 0;
  /** Bytes thrown away since the answer was complete. */
  private drainedBytes = 0;

  constructor(host: Host, stream: ServerHttp2Stream, owner: BodyOwner) {
    this.host = host;
    this.stream = stream;
    this.owner = owner;
  }

  /** The stream delivers the body from now on. */
  begin(): void {
    this.receiveEnd = this.host.deadlineIn(this.host.timeouts.receiveMs ?? 0);
    this.await();
  }

  private await(): void {
    this.deadline = earlier(this.host.deadlineIn(this.host.timeouts.bodyMs), this.receiveEnd);
  }

  take(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    this.await();
    const { bodyBytes } = this.host.limits;
    if (bodyBytes > 0 && this.receivedBytes > bodyBytes)
      return this.owner.refuse(new HttpError(413, 'the body is too large'));
    const { answered } = this;
    const taker = this.owner.exchange ?? (answered?.isBodyPending === true ? answered : undefined);
    if (taker !== undefined) return taker.takeBody(bytes);
    this.drainedBytes += bytes.length;
    if (this.drainedBytes > maxDrainBytes) this.stop();
  }

  takeTrailers(raw: readonly string[]): void {
    const { head } = this.owner.exchange ?? this.answered ?? {};
    if (head !== undefined) head.trailers = readTrailers(raw, this.host.limits);
  }

  end(): void {
    if (this.owner.isOver || this.owner.isCut) return;
    this.isWhole = true;
    this.deadline = 0;
    (this.owner.exchange ?? this.answered)?.endBody();
    this.answered = undefined;
  }

  pause(): void {
    this.deadline = 0;
    this.stream.pause();
  }

  resume(): void {
    if (this.isWhole || this.owner.isOver) return;
    this.await();
    this.stream.resume();
  }

  /** The request is answered. */
  leave(exchange: Exchange): void {
    if (this.isWhole) exchange.loseBody();
    else if (exchange.isBodyPending) this.answered = exchange;
    else this.drain(exchange);
  }

  /** The rest is discarded. Some of it is still read: some clients read their answer only after they have sent everything. */
  private drain(exchange: Exchange): void {
    exchange.loseBody();
    this.drainedBytes = exchange.unreadBytes;
    this.resume();
  }

  /** When the client has its answer, tells it to stop sending the body (RFC 9113 §8.1). */
  stop(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.deadline = 0;
    this.stream.pause();
    const stop = () => this.stream.close(ErrorCode.none);
    if (this.stream.writableFinished) stop();
    else this.stream.once('finish', stop);
  }

  /** From the server's sweep: checks whether the client is late. */
  expire(now: number): void {
    const { exchange } = this.owner;
    const isDrained = exchange === undefined && this.answered === undefined;
    if (isDrained && !this.isWhole && this.host.isDraining) this.stop();
    if (this.deadline === 0 || this.deadline > now || exchange?.isAwaitingContinue === true) return;
    this.deadline = 0;
    this.owner.refuse(new HttpError(408, 'the request body took too long'));
  }

  /** The stream is closed. */
  close(): void {
    this.answered?.loseBody();
    this.answered = undefined;
  }
}
