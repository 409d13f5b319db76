/**
 * Where an answer goes. The exchange calls it with statuses, fields and pieces; a protocol behind it makes bytes of them. For
 * HTTP/1.1 that is `h1/answer.ts`. In a thread, the bytes go to the main thread first.
 */

import type { Field, ResponseState } from './h1/writer.ts';

export type Bytes = Uint8Array;
export type Piece = string | Bytes;

/** Latin1 text, bytes, and the text behind them. */
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
   * A response before the answer (RFC 9110 §15.2). If `isLenient`, fields that only the server may set are left out.
   * @throws AppError for a malformed status or field
   */
  interim(status: string, fields: readonly Field[], isLenient: boolean): void;
  /**
   * Checks status and fields, and decides how the body's end will be known. They are sent with what follows; a second call
   * before that replaces them.
   * @param knownLength the body's length in bytes if all of it is in memory, else -1
   * @throws AppError for a malformed status or field, or a Content-Length that is not the known length
   */
  head(state: ResponseState, status: string, fields: readonly Field[], knownLength: number): void;
  /** Sends the head before the body, or without one. @returns false if the client takes bytes more slowly than they are sent */
  flushHead(): boolean;
  /**
   * Sends a piece of the body, which is not empty.
   * @param length in bytes
   * @returns false if the client takes bytes more slowly than they are sent
   */
  data(state: ResponseState, piece: Piece, length: number): boolean;
  /** The answer is complete. @param trailers have been checked */
  end(state: ResponseState, trailers: readonly Field[]): void;
  /**
   * Sends bytes of an answer that the same protocol has made in a thread, which did not know whether the connection persists.
   * @returns false if the client takes bytes more slowly than they are sent
   */
  pass(state: ResponseState, made: MadeText): boolean;
}
