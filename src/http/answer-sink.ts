/**
 * Where an answer goes: the exchange says what it means, and a protocol behind this seam says it in bytes. HTTP/1.1 is
 * `h1/answer.ts`; in a thread, what is said goes to the main thread first.
 */

import type { Field, ResponseState } from './h1/writer.ts';

export type Bytes = Uint8Array;
export type Piece = string | Bytes;

/** Latin1 text, and bytes with the text that follows them. */
export interface MadeText {
  readonly text: string;
  readonly bytes: Bytes | undefined;
  readonly tail: string;
  /** How much of the text is the answer's head. */
  readonly headLength: number;
}

export interface AnswerSink {
  /** Permission to send the body (RFC 9110 §10.1.1). */
  continue(): void;
  /**
   * A response ahead of the answer (RFC 9110 §15.2). Where `isLenient`, fields that are the server's are left out.
   * @throws AppError for a malformed status or field
   */
  interim(status: string, fields: readonly Field[], isLenient: boolean): void;
  /**
   * Status and fields. Checks them, and decides how the body's end will be known. They go out with what follows; said again
   * ahead of that, they replace what was said.
   * @param knownLength the body's length in bytes where all of it is at hand, else -1
   * @throws AppError for a malformed status or field, or a Content-Length that is not the known length
   */
  head(state: ResponseState, status: string, fields: readonly Field[], knownLength: number): void;
  /** Sends the head ahead of the body, or instead of one. @returns false when the client takes less than it is sent */
  flushHead(): boolean;
  /**
   * A piece of the body, which is not empty.
   * @param length in bytes
   * @returns false when the client takes less than it is sent
   */
  data(state: ResponseState, piece: Piece, length: number): boolean;
  /** The answer is complete. @param trailers have been checked */
  end(state: ResponseState, trailers: readonly Field[]): void;
  /**
   * What the same protocol has made of an answer in a thread, which did not know how the connection goes on.
   * @returns false when the client takes less than it is sent
   */
  pass(state: ResponseState, made: MadeText): boolean;
}
