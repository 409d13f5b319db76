/** The app interface: PEP 3333 (WSGI 1.0.1) for TypeScript. What an app author imports. */

import type { Readable } from 'node:stream';
import type { Scheme } from '../http/ends.ts';

/**
 * An app. Called once per request; returns the body, or a promise of it. The status and headers said to `startResponse`
 * are sent with the first non-empty piece (PEP 3333, "The start_response() Callable").
 */
export type App = (env: Environ, startResponse: StartResponse) => Body | Promise<Body>;

/**
 * Says the answer's status, such as `200 OK`, and its headers.
 * @param excInfo the error that this call answers: with it, an earlier call may be replaced while nothing was sent, and
 *   is thrown again when something was; `null` and undefined stand for none
 * @returns a function that sends a piece of the body at once; it is here for the PEP's sake, returning pieces is better
 */
export type StartResponse = (status: string, headers: readonly Header[], excInfo?: unknown) => Write;

export type Header = readonly [name: string, value: string];

/** @returns a promise that resolves when the client is ready for more; it need not be awaited */
export type Write = (piece: string | Uint8Array) => Promise<void>;

/**
 * Pieces are sent in order, texts as UTF-8. A single text counts as a body of one piece. If the body has a method
 * `close()`, it is called when the answer is done with the body, however it ended (PEP 3333, "Buffering and Streaming").
 */
export type Body = BodyPieces | (BodyPieces & { close(): unknown });
export type BodyPieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * The request, with PEP 3333's keys. Texts from the request are "bytes as latin1" (PEP 3333, "Unicode Issues"): one
 * character is one byte, and `Buffer.from(env.PATH_INFO, 'latin1').toString()` reads them as UTF-8.
 */
export interface Environ {
  REQUEST_METHOD: string;
  /** Where the app is mounted: empty at the root of the server. Middleware moves segments here from PATH_INFO. */
  SCRIPT_NAME: string;
  /** The path, percent-decoded. */
  PATH_INFO: string;
  /** What follows the `?`, not decoded; empty where there is none. */
  QUERY_STRING: string;
  CONTENT_TYPE?: string;
  /** Digits, checked; absent for a chunked body. */
  CONTENT_LENGTH?: string;
  SERVER_NAME: string;
  SERVER_PORT: string;
  SERVER_PROTOCOL: string;
  /** The client's address; empty on a unix socket. */
  REMOTE_ADDR: string;
  REMOTE_PORT: string;
  /** The request target as sent. */
  RAW_URI: string;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': Scheme;
  /** The request's body. Made when first asked for. */
  'wsgi.input': Readable;
  /** Lines written here go to the error log. */
  'wsgi.errors': NodeJS.WritableStream;
  'wsgi.multithread': boolean;
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  /** True: reading `wsgi.input` to its end is safe without a CONTENT_LENGTH. */
  'wsgi.input_terminated': boolean;
  /** Turns a readable thing into a body: `return env['wsgi.file_wrapper'](stream)`. */
  'wsgi.file_wrapper': FileWrapperClass;
  /** Sends 103 Early Hints (RFC 8297). */
  'wsgi.early_hints': (headers: readonly Header[]) => void;
  /** Aborted when the client has gone, or with a `TimeoutError` when the request's time is over. Made when first asked for. */
  'tsgun.signal': AbortSignal;
  /** The client's or a proxy's, by `--request-id-header`; made where there is none. It is in the lines of all logs. */
  'tsgun.requestId': string;
  /** Work that goes on after the answer: a worker that leaves waits for it, up to `--graceful-timeout`. Its failure is logged. */
  'tsgun.waitUntil': (work: PromiseLike<unknown>) => void;
  /** Adds seconds to this request's `--request-timeout`. Without one, or once it has passed, nothing happens. */
  'tsgun.extendDeadline': (seconds: number) => void;
  /** Request headers: `HTTP_ACCEPT` and the like. Those with an underscore in their name are left out. */
  [key: `HTTP_${string}`]: string | undefined;
  /** What middleware adds. */
  [key: string]: unknown;
}

/** Part of a body. */
export type Piece = string | Uint8Array;

/**
 * What `wsgi.file_wrapper` takes: a stream, anything with Node's `FileHandle.createReadStream`, or the file-like object of
 * PEP 3333, whose `read` returns nothing, or an empty piece, at the end. Its `close`, if any, is called after the body.
 */
export type FileLike =
  | Readable
  | { createReadStream(options?: { highWaterMark?: number }): Readable }
  | (AsyncIterable<Piece> & { close?(): unknown })
  | { read(size: number): Piece | null | undefined | Promise<Piece | null | undefined>; close?(): unknown };

export type FileBody = AsyncIterable<Piece> & { close(): Promise<void> };

export interface FileWrapperClass {
  (file: FileLike, blockSize?: number): FileBody;
  new (file: FileLike, blockSize?: number): FileBody;
}
