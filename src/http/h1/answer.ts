/**
 * Writes answers as HTTP/1.1 text (RFC 9112): the head and the first piece of a body together, chunks, and interim responses.
 */

import type { AnswerSink, Bytes, MadeText, Piece } from '../answer-sink.ts';
import {
  connectionField,
  type Field,
  type ResponseState,
  writeHead,
  writeInterimHead,
  writeTrailers,
} from './writer.ts';

/** Where the text goes: latin1, with bytes between. */
export interface TextOut {
  /**
   * @param headLength how much of the text is the answer's head
   * @returns false when the client takes less than it is sent
   */
  sendText(text: string, headLength: number): boolean;
  sendBytes(text: string, bytes: Bytes, tail: string, headLength: number): boolean;
}

/** One object for all answers of a connection, which come one after another. */
export class H1Answer implements AnswerSink {
  private readonly out: TextOut;
  private readonly saysConnection: boolean;
  private readonly ownLine: (() => string) | undefined;
  /** The head that is sent with what follows. */
  private text = '';

  /**
   * @param saysConnection whether it is known here how the connection goes on
   * @param ownLine returns a field of the server's own for each head
   */
  constructor(out: TextOut, saysConnection = true, ownLine?: () => string) {
    this.out = out;
    this.ownLine = ownLine;
    this.saysConnection = saysConnection;
  }

  /** Whether no head waits for what follows it. */
  get isClean(): boolean {
    return this.text === '';
  }

  continue(): void {
    this.out.sendText('HTTP/1.1 100 Continue\r\n\r\n', 0);
  }

  interim(status: string, fields: readonly Field[], isLenient: boolean): void {
    this.out.sendText(writeInterimHead(status, fields, isLenient), 0);
  }

  head(state: ResponseState, status: string, fields: readonly Field[], knownLength: number): void {
    this.text = writeHead(state, status, fields, knownLength, this.saysConnection, this.ownLine?.());
  }

  flushHead(): boolean {
    const head = this.takeHead();
    return head === '' || this.out.sendText(head, head.length);
  }

  data(state: ResponseState, piece: Piece, length: number): boolean {
    if (state.framing === 'none') return this.flushHead();
    const head = this.takeHead();
    const isChunked = state.framing === 'chunked';
    const prefix = isChunked ? `${head}${length.toString(16)}\r\n` : head;
    const suffix = isChunked ? '\r\n' : '';
    // As many bytes as characters: all of it is ASCII, and goes out in one text with the head.
    if (typeof piece === 'string' && length === piece.length)
      return this.out.sendText(prefix + piece + suffix, head.length);
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    return this.out.sendBytes(prefix, bytes, suffix, head.length);
  }

  end(state: ResponseState, trailers: readonly Field[]): void {
    if (state.framing === 'chunked') this.out.sendText(`0\r\n${writeTrailers(trailers)}\r\n`, 0);
  }

  pass(state: ResponseState, { text, bytes, tail, headLength }: MadeText): boolean {
    const own = headLength === 0 ? '' : connectionField(state) + (this.ownLine?.() ?? '');
    const whole = own === '' ? text : within(text, headLength, own);
    if (bytes !== undefined) return this.out.sendBytes(whole, bytes, tail, headLength);
    return whole === '' || this.out.sendText(whole, headLength);
  }

  private takeHead(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

/** Adds lines to a head, ahead of its empty line. */
function within(text: string, headLength: number, lines: string): string {
  const at = headLength - 2;
  return text.slice(0, at) + lines + text.slice(at);
}
