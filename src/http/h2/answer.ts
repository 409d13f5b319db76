/** Answers as HTTP/2's fields and data (RFC 9113 §8). One for each request. */

import type { ServerStreamResponseOptions } from 'node:http2';
import { answerWhole, type WholeOwner } from '../../node/http2-handle.ts';
import type { OpenedStream } from '../../node/http2-streams.ts';
import type { AnswerSink, MadeText, Piece } from '../answer-sink.ts';
import type { Exchange } from '../exchange.ts';
import type { Field, ResponseState } from '../h1/writer.ts';
import type { HeldShare } from '../held-answers.ts';
import { canceled, type Taken, tellTaken, writeError } from '../wire/taken.ts';
import { answerFields, interimFields, outgoing } from './answer-fields.ts';
import { isTrailers, readLines } from './made.ts';

/** Larger pieces are written in parts, so that progress of a slow client can be seen. */
const partBytes = 64 * 1024;

interface Waiting {
  /** How many writes must be done. */
  readonly written: number;
  readonly callback: Taken;
}

export class H2Answer implements AnswerSink, WholeOwner {
  private readonly stream: OpenedStream;
  private readonly heldBytes: number;
  private readonly share: HeldShare | undefined;
  private exchange: Exchange;
  private readonly ownField: (() => Field) | undefined;
  private status = '';
  private fields: readonly Field[] = [];
  private isHeadHeld = false;
  private isAwaitingDrain = false;
  private trailers: readonly Field[] = [];
  private written = 0;
  /** How many writes are done. */
  private done = 0;
  private failure: Error | undefined = undefined;
  /** Bytes of a body that was written together with its head, until they are sent. */
  private wholeBytes = 0;
  private isWhole = false;
  private waiting: Waiting[] | undefined = undefined;
  /** Called at the end of each write of a part. */
  private takeWritten: ((error?: Error | null) => void) | undefined = undefined;

  /**
   * @param heldBytes how much waits for a slow client before the app has to
   * @param share where it enters what the client has not taken, and which may allow more
   * @param ownField returns a field of the server's own
   */
  constructor(
    stream: OpenedStream,
    exchange: Exchange,
    heldBytes: number,
    share: HeldShare | undefined,
    ownField?: () => Field,
  ) {
    this.share = share;
    this.stream = stream;
    this.exchange = exchange;
    this.heldBytes = heldBytes;
    this.ownField = ownField;
  }

  /** Whether the stream is closed: its client has left, or it was cut. */
  private get isDead(): boolean {
    return this.stream.isOver;
  }

  /** Another exchange answers in place of the first. */
  takeOver(exchange: Exchange): void {
    this.exchange = exchange;
  }

  get pendingBytes(): number {
    const { heldLength } = this;
    return this.failure === undefined ? heldLength : Math.max(heldLength, 1);
  }

  /** Bytes that have not left Node's stream, or its handle. */
  private get heldLength(): number {
    return (this.stream.made?.writableLength ?? 0) + this.wholeBytes;
  }

  /** Changes whenever the client takes something. */
  get progress(): number {
    return this.done;
  }

  whenTaken(callback: Taken): void {
    const { written } = this;
    if (this.done >= written) return tellTaken([callback], this.failure);
    this.waiting ??= [];
    this.waiting.push({ written, callback });
  }

  /** The stream is closed: what is not sent by now is lost. */
  close(): void {
    // Without an error, everything was sent before the end.
    if (this.done < this.written && this.stream.errorCode !== 0) this.failure ??= writeError(canceled);
    this.wholeBytes = 0;
    this.share?.close();
    this.done = this.written;
    for (const { callback } of this.waiting?.splice(0) ?? []) tellTaken([callback], this.failure);
  }

  continue(): void {
    if (this.isDead) return;
    const stream = this.stream.make();
    if (!stream.headersSent) stream.additionalHeaders({ ':status': 100 });
  }

  interim(status: string, fields: readonly Field[], isLenient: boolean): void {
    this.sendInterim(status, interimFields(status, fields, isLenient));
  }

  private sendInterim(status: string, fields: readonly Field[]): void {
    if (!this.isDead) this.stream.make().additionalHeaders({ ':status': codeOf(status), ...outgoing(fields) });
  }

  head(state: ResponseState, status: string, fields: readonly Field[], knownLength: number): void {
    this.hold(status, answerFields(state, status, fields, knownLength));
  }

  private hold(status: string, fields: Field[]): void {
    this.status = status;
    this.fields = this.ownField === undefined ? fields : [...fields, this.ownField()];
    this.isHeadHeld = true;
  }

  flushHead(): boolean {
    const { framing, contentLength, isEnded } = this.exchange;
    if (isEnded && this.sendWhole(undefined, 0)) return true;
    this.sendHead(framing === 'none' || (framing === 'length' && (contentLength === 0 || isEnded)));
    return true;
  }

  /** @param isWhole whether no body follows */
  private sendHead(isWhole: boolean): void {
    if (!this.isHeadHeld) return;
    this.isHeadHeld = false;
    if (this.isDead) return;
    const waitForTrailers = !isWhole && this.exchange.framing === 'chunked';
    const stream = this.stream.make();
    if (waitForTrailers) stream.once('wantTrailers', () => this.sendTrailers());
    stream.respond({ ':status': codeOf(this.status), ...outgoing(this.fields) }, {
      endStream: isWhole,
      waitForTrailers,
      sendDate: false,
    } as ServerStreamResponseOptions);
  }

  /** Called even without trailers: this ends the stream. */
  private sendTrailers(): void {
    if (!this.isDead) this.stream.make().sendTrailers(outgoing(this.trailers));
  }

  data(state: ResponseState, piece: Piece, length: number): boolean {
    if (state.framing === 'none') return this.flushHead();
    if (this.exchange.isEnded && this.sendWhole(piece, length)) return true;
    this.sendHead(false);
    const isTaking = this.write(piece, length);
    // In the same tick as the last write, so that the end is sent in the same frame.
    if (this.exchange.isEnded && !this.isDead) this.stream.make().end();
    else if (!isTaking) this.awaitDrain();
    return isTaking;
  }

  private awaitDrain(): void {
    if (this.isAwaitingDrain || this.isDead) return;
    this.isAwaitingDrain = true;
    this.stream.make().once('drain', () => {
      this.isAwaitingDrain = false;
      this.exchange.onDrain?.();
    });
  }

  /** Head and body at once, by the shortest way. @returns whether that was done */
  private sendWhole(body: Piece | undefined, length: number): boolean {
    const { exchange, stream } = this;
    const isPossible = this.isHeadHeld && exchange.isWhole && !exchange.isHeadRequest && length <= partBytes;
    if (!isPossible || this.isDead) return false;
    let list = `:status\0${this.status.slice(0, 3)}\0\0`;
    for (const [name, value] of this.fields) list += `${name}\0${value}\0\0`;
    if (!answerWhole(stream.handle, list, this.fields.length + 1, body, length, this)) return false;
    this.isHeadHeld = false;
    this.isWhole = true;
    if (body !== undefined) {
      this.written++;
      this.wholeBytes = length;
      this.enter();
    }
    return true;
  }

  takeWhole(status: number): void {
    if (!this.isWhole || this.done === this.written) return;
    this.wholeBytes = 0;
    this.noteWritten(status < 0 ? writeError(status) : undefined);
  }

  private write(piece: Piece, length: number): boolean {
    if (this.isDead) return false;
    let isTaking = true;
    if (length <= partBytes) isTaking = this.writePart(piece);
    else {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      for (let at = 0; at < length; at += partBytes) isTaking = this.writePart(bytes.subarray(at, at + partBytes));
    }
    this.enter();
    return isTaking || this.mayHold(this.heldBytes);
  }

  private mayHold(bytes: number): boolean {
    return !this.isDead && (this.stream.make().writableLength < bytes || this.share?.mayHoldMore === true);
  }

  private writePart(part: Piece): boolean {
    this.written++;
    this.takeWritten ??= (error) => this.noteWritten(error);
    return this.stream.make().write(part, this.takeWritten);
  }

  private enter(): void {
    this.share?.set(this.heldLength);
  }

  private noteWritten(error: Error | null | undefined): void {
    this.done++;
    this.enter();
    if (error) this.failure ??= error;
    const { waiting } = this;
    if (waiting === undefined) return;
    while (waiting.length > 0 && waiting[0]!.written <= this.done) waiting.shift()!.callback(this.failure);
  }

  end(state: ResponseState, trailers: readonly Field[]): void {
    this.trailers = trailers;
    if (state.framing !== 'none' && !this.isDead) this.stream.make().end();
  }

  pass(state: ResponseState, made: MadeText): boolean {
    const { exchange } = this;
    const { text, bytes, tail, headLength } = made;
    if (!exchange.isStarted) {
      const { status, fields } = readLines(text);
      this.sendInterim(status, fields);
      return true;
    }
    if (isTrailers(made)) this.trailers = readLines(text).fields;
    else {
      if (headLength > 0) this.takeMadeHead(state, text.slice(0, headLength));
      const body = text.slice(Math.max(0, headLength)) + tail;
      const length = body.length + (bytes?.byteLength ?? 0);
      if (length === 0) this.flushHead();
      else if (this.mayPassWhole(state, body, bytes) && this.sendWhole(bytes ?? body, length)) return true;
      else {
        this.sendHead(false);
        if (body !== '') this.write(Buffer.from(body, 'latin1'), body.length);
        if (bytes !== undefined) this.write(bytes, bytes.byteLength);
      }
    }
    if (this.isDead) return false;
    const stream = this.stream.make();
    if (exchange.isEnded && state.framing !== 'none') stream.end();
    if (stream.writableNeedDrain) this.awaitDrain();
    return this.mayHold(Math.max(this.heldBytes, stream.writableHighWaterMark));
  }

  private mayPassWhole({ framing }: ResponseState, body: string, bytes: Uint8Array | undefined): boolean {
    return this.exchange.isEnded && framing === 'length' && (body === '' || bytes === undefined);
  }

  private takeMadeHead(state: ResponseState, text: string): void {
    const { status, fields } = readLines(text);
    const length = fields.find(([name]) => name === 'content-length')?.[1];
    const code = codeOf(status);
    const isBodiless = state.isHeadRequest || code === 204 || code === 205 || code === 304;
    state.contentLength = length === undefined ? -1 : Number(length);
    state.framing = isBodiless ? 'none' : length === undefined ? 'chunked' : 'length';
    this.hold(status, fields);
  }
}

function codeOf(status: string): number {
  return Number.parseInt(status, 10);
}
