/**
 * Lines out of bytes, whole however the bytes were cut: latin1 strings, found by indexOf and cut by slice. It is the base of the
 * parser, which says how long a line may be, and not an object beside it, as each connection has one.
 */

import { HttpError } from '../errors.ts';
import { carriageReturn } from './grammar.ts';

/** How much is decoded at a time in search of a line. */
const windowBytes = 16 * 1024;

export abstract class LineReader {
  /** The beginning of a line whose end has not come yet, as it came: joined at each piece, it would be copied as often. */
  protected partial: string[] | undefined = undefined;
  protected partialLength = 0;
  /** Bytes decoded in search of lines, and where they begin: pipelined requests share them. */
  protected text = '';
  protected textStart = 0;

  /** How long a line may be now. */
  protected abstract readonly lineLimit: number;
  /** The error for a line that is longer. @param line up to the first character too many, or more */
  protected abstract tooLong(line: string): HttpError;

  protected decode(bytes: Buffer, position: number, end: number): void {
    this.textStart = position;
    this.text = bytes.toString('latin1', position, Math.min(end, position + windowBytes));
  }

  /** The line that ends at `lineFeed`, with the part of it that came before, and without its CRLF. */
  protected takePartial(text: string, start: number, lineFeed: number): string {
    const isWhole = this.partialLength === 0;
    const line = isWhole ? text : (this.partial ?? []).join('') + text.slice(start, lineFeed);
    const from = isWhole ? start : 0;
    const last = (isWhole ? lineFeed : line.length) - 1;
    if (!isWhole) this.partial = undefined;
    this.partialLength = 0;
    const hasCarriageReturn = last >= from && line.charCodeAt(last) === carriageReturn;
    const length = (hasCarriageReturn ? last : last + 1) - from;
    if (length > this.lineLimit) throw this.tooLong(line.slice(from, last + 1));
    // A bare LF ends no line. RFC 9112 §2.2 lets each recipient choose; where two choose differently, requests can be smuggled.
    if (!hasCarriageReturn) throw new HttpError(400, 'a line must end in CRLF');
    return line.slice(from, last);
  }

  /** Keeps the beginning of a line. Its length is checked here too, so that the cuts make no difference. */
  protected hold(piece: string): void {
    this.partial ??= [];
    this.partial.push(piece);
    this.partialLength += piece.length;
    const length = piece.charCodeAt(piece.length - 1) === carriageReturn ? this.partialLength - 1 : this.partialLength;
    if (length > this.lineLimit) throw this.tooLong(this.partial.join(''));
  }
}
