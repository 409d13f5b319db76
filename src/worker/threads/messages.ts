/**
 * The messages between the main thread and a thread. A message costs more than everything else about a small request. So
 * messages travel in batches, a request is one text, and small answers are no messages at all (`answer-ring.ts`).
 */

import type { MessagePort } from 'node:worker_threads';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import type { ErrorReport } from '../../errors.ts';
import type { MadeText } from '../../http/answer-sink.ts';
import type { End, Ends, Scheme } from '../../http/ends.ts';
import { lookUpField } from '../../http/fields.ts';
import { RequestHead } from '../../http/head.ts';
import type { OwnLimits } from '../../http/limits.ts';
import type { Found } from '../../ipc/messages.ts';
import type { LateRequest } from '../classes/failures.ts';
import type { ProgramSurroundings } from '../surroundings.ts';

/** What a thread is started with. */
export interface ThreadOrder {
  readonly source: AppSource;
  readonly settings: Settings;
  readonly surroundings: ProgramSurroundings;
  /** See `claims.ts`. */
  readonly claims: SharedArrayBuffer;
  readonly answers: SharedArrayBuffer;
  /** One number for all threads: whether the main thread reads the answer rings by itself. */
  readonly watch: SharedArrayBuffer;
  /** For all messages. */
  readonly port: MessagePort;
}

/** To a thread; `id` is the number of the request, counted per thread. */
export type ToThread =
  /** A request, as `writeRequest` makes it. */
  | string
  | readonly ['body', id: number, bytes: Uint8Array]
  | readonly ['bodyEnd', id: number, trailers: string[] | undefined]
  /** The client has taken this many bytes of the answer. */
  | readonly ['taken', id: number, bytes: number]
  /** The request is over time (`TimeoutError`), or its client has closed its half. The thread tells the app. */
  | readonly ['left', id: number, name: string, reason: string]
  /** The client has all of a complete answer, or never will. */
  | readonly ['out', id: number, isOut: boolean]
  /** Nobody is left to answer. `failure`: how the connection has failed, if that ended it. */
  | readonly ['gone', id: number, reason: string, failure: ErrorReport | undefined]
  /** A large piece of an answer is being sent to clients, or no longer: see `inside/shares.ts`. */
  | readonly ['share', Share]
  | readonly ['unshare', number: number]
  | ForTunnel
  /** The thread answers with `pong`. */
  | readonly ['ping']
  | readonly ['stop'];

/** To a thread, about a connection that its app has taken over; `id` is that of its request. */
export type ForTunnel =
  /** A raw connection; `id` is its own. */
  | readonly ['tunnelBegin', id: number, ends: Pick<Ends, 'local' | 'remote'>]
  | readonly ['tunnelBytes', id: number, bytes: Uint8Array]
  /** The client has taken so many bytes. */
  | readonly ['tunnelTaken', id: number, bytes: number]
  /** The client writes nothing more. */
  | readonly ['tunnelEnd', id: number]
  /** The worker leaves: the app's protocol should say so to the client. */
  | readonly ['tunnelFarewell', id: number]
  /** The connection has ended. */
  | readonly ['tunnelGone', id: number];

export type FromTunnel =
  | readonly ['tunnelBytes', id: number, bytes: Uint8Array]
  /** The app has taken so many bytes. */
  | readonly ['tunnelTaken', id: number, bytes: number]
  | readonly ['tunnelEnd', id: number, how: 'end' | 'destroy' | 'cut'];

/** A message about the request that a thread has, or will have. */
export type ForRequest = Exclude<
  ToThread,
  string | readonly ['stop' | 'ping'] | readonly ['share' | 'unshare', unknown] | ForTunnel
>;

export function isForTunnel(message: ForRequest | ForTunnel): message is ForTunnel {
  return message[0].startsWith('tunnel');
}

/** From a thread. */
export type FromThread =
  /** Its app is loaded, and was taken for one of this interface. */
  | readonly ['ready', Found, systemId: number | undefined, own: OwnLimits | undefined]
  | readonly ['pong']
  | readonly ['bootFailed', ErrorReport]
  /** Files that it has loaded as modules; under `--reload` only. */
  | readonly ['loaded', readonly string[]]
  /** A part of an answer; `flags` are those of `AnswerFlag`. */
  | readonly ['answer', id: number, flags: number, answer: AnswerPart]
  /** The app reads the body: the client may be told to send it. */
  | readonly ['read', id: number]
  /** The app has taken so many bytes of the body. */
  | readonly ['taken', id: number, bytes: number]
  /** The app was told that it is over time, so the thread is not in an endless loop. */
  | readonly ['heard', id: number]
  /** The app was told that its client has closed its half. `isOver`: it will not answer. */
  | readonly ['endHeard', id: number, isOver: boolean]
  | readonly ['extend', id: number, ms: number]
  | readonly ['cut', id: number]
  /** The app takes the connection over for another protocol: no answer follows. */
  | readonly ['takeOver', id: number]
  | FromTunnel
  /** The answer was the last of its connection. This became known after its end. */
  | readonly ['hangUp', id: number]
  | readonly ['failed', id: number, error: ErrorReport]
  /** Work that the app continued after its answer has failed. */
  | readonly ['late', request: LateRequest & { readonly error: ErrorReport }]
  /** A line that the app wrote to `wsgi.errors`. */
  | readonly ['line', string]
  /** The app has failed a raw connection. */
  | readonly ['connectionFailed', peer: End, error: ErrorReport]
  /** Something that the app has set has no effect. Each thread reports it. */
  | readonly ['warning', string]
  /** Its requests are answered. Work that the app continues, or the app's own shutdown code, still runs. */
  | readonly ['closing']
  /** Why the app has not been loaded yet. */
  | readonly ['waits', why: string]
  /** A line for the log. */
  | readonly ['say', level: 'info' | 'warn' | 'error', text: string];

/** A part of an answer as HTTP/1.1 text, made in the thread. */
export interface AnswerPart extends MadeText {
  /** Bytes of the body so far. */
  readonly sentBytes: number;
  /** CPU time so far; -1 if it is not measured. */
  readonly cpuMicros: number;
  /** The number of the share, if the bytes are in shared memory. */
  readonly share?: number;
}

/** Bytes in memory that all threads of a worker share. */
export interface Share {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export function bytesIn({ text, bytes, tail }: AnswerPart): number {
  return text.length + (bytes?.byteLength ?? 0) + tail.length;
}

/** Describes a part of an answer, as bits. */
export const AnswerFlag = {
  /** An interim response, before the answer. */
  interim: 1,
  /** The part begins with the head. */
  head: 2,
  /** With `head`: the app's side allows the connection to persist. */
  persists: 4,
  /** The answer is complete. */
  end: 8,
  /** The app is done with this request, and the thread is free for the next. */
  done: 16,
  /** With `end`: the answer is the last of its connection. */
  hangUp: 32,
  /** With `end`: the main thread should send `out` when the client has the answer. */
  confirm: 64,
} as const;

/** With `head`, the status is in the bits from here on. */
export const statusShift = 8;

/** The most bytes of a request's body on their way to a thread. */
export const windowBytes = 256 * 1024;
/**
 * The most bytes of an answer that the main thread holds for a client that is slower than the app. Beyond that the app waits,
 * and its thread with it. A slow client does not hold up a thread with a smaller answer.
 */
export const answerWindowBytes = 1024 * 1024;
/** The most bytes on their way through a connection that an app has taken over, in each direction. */
export const tunnelBytes = 256 * 1024;
/** Credit is granted in steps of this size. */
export const creditBytes = 64 * 1024;

export interface Request {
  readonly id: number;
  readonly head: RequestHead;
  readonly ends: Ends;
  /** Those of the connection, where a proxy has said others: a node app sees both. */
  readonly connection?: Ends;
}

const fixedLines = 14;

/** One text for a request's whole head. No part of it can contain a line feed: the parser refuses those. */
export function writeRequest(
  id: number,
  head: RequestHead,
  ends: Ends,
  mayPersist: boolean,
  connection: Ends = ends,
): string {
  const flags =
    head.minorVersion |
    (mayPersist ? 2 : 0) |
    (head.isChunked ? 4 : 0) |
    (head.host === undefined ? 0 : 8) |
    (ends.prefix === undefined ? 0 : 16) |
    (ends.tls === undefined ? 0 : 32) |
    (head.isHttp2 ? 64 : 0) |
    (head.isUpgrade ? 128 : 0) |
    (connection === ends ? 0 : 256);
  const { local, remote, scheme } = ends;
  let text =
    `${id}\n${flags}\n${head.method}\n${head.target}\n${head.path}\n${head.query}\n${head.host ?? ''}\n` +
    `${head.contentLength}\n${scheme}\n${local.address}\n${local.port}\n${remote.address}\n${remote.port}\n${head.requestId ?? ''}`;
  if (ends.prefix !== undefined) text += `\n${ends.prefix}`;
  if (ends.tls !== undefined) text += `\n${JSON.stringify(ends.tls)}`;
  if (connection !== ends) text += `\n${JSON.stringify(connection)}`;
  const { names, values } = head;
  for (let index = 0; index < names.length; index++) text += `\n${names[index]!.raw}\n${values[index]}`;
  return text;
}

/**
 * The inverse of `writeRequest`. `isKeepAlive` is what `mayPersist` was. `expectsContinue` is false: the main thread gives the
 * permission to send.
 */
export function readRequest(text: string): Request {
  const lines = text.split('\n');
  const flags = Number(lines[1]);
  const head = new RequestHead();
  head.minorVersion = flags & 1;
  head.isKeepAlive = (flags & 2) !== 0;
  head.isChunked = (flags & 4) !== 0;
  head.isHttp2 = (flags & 64) !== 0;
  head.isUpgrade = (flags & 128) !== 0;
  head.method = lines[2]!;
  head.target = lines[3]!;
  head.path = lines[4]!;
  head.query = lines[5]!;
  if ((flags & 8) !== 0) head.host = lines[6]!;
  head.contentLength = Number(lines[7]);
  let next = fixedLines;
  const prefix = (flags & 16) === 0 ? undefined : lines[next++]!;
  const tls = (flags & 32) === 0 ? undefined : (JSON.parse(lines[next++]!) as NonNullable<Ends['tls']>);
  const ends: Ends = {
    scheme: lines[8] as Scheme,
    local: { address: lines[9]!, port: lines[10]! },
    remote: { address: lines[11]!, port: lines[12]! },
    ...(prefix === undefined ? {} : { prefix }),
    ...(tls === undefined ? {} : { tls }),
  };
  const connection = (flags & 256) === 0 ? undefined : (JSON.parse(lines[next++]!) as Ends);
  if (lines[13] !== '') head.requestId = lines[13];
  for (let index = next; index < lines.length; index += 2) {
    head.names.push(lookUpField(lines[index]!)!);
    head.values.push(lines[index + 1]!);
  }
  return { id: Number(lines[0]), head, ends, ...(connection === undefined ? {} : { connection }) };
}

/** Makes an error of the app's from the report that its thread sent. */
export function revive({ name, message, stack, code }: ErrorReport): Error {
  const known = { ...(stack === undefined ? {} : { stack }), ...(code === undefined ? {} : { code }) };
  return Object.assign(new Error(message), { name, ...known });
}
