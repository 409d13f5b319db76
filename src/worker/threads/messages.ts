/**
 * What the main thread and a thread say to each other. A message costs more than all else that happens to a small request,
 * so messages travel in batches, requests as one text each, and small answers not as messages at all (`answer-ring.ts`).
 */

import type { MessagePort } from 'node:worker_threads';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import type { ErrorReport } from '../../errors.ts';
import type { MadeText } from '../../http/answer-sink.ts';
import type { Ends, Scheme } from '../../http/ends.ts';
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
  /** One number for all threads: whether the main thread looks for answers by itself. */
  readonly watch: SharedArrayBuffer;
  /** For all that is said. */
  readonly port: MessagePort;
}

/** To a thread; `id` is the number of the request, counted per thread. */
export type ToThread =
  /** A request, by `writeRequest`. */
  | string
  | readonly ['body', id: number, bytes: Uint8Array]
  | readonly ['bodyEnd', id: number, trailers: string[] | undefined]
  /** So many bytes of the answer have gone on their way. */
  | readonly ['taken', id: number, bytes: number]
  /** The request is over time (`TimeoutError`), or its client has closed its half: the app is told. */
  | readonly ['left', id: number, name: string, reason: string]
  /** All of a complete answer is on its way to the client, or never will be. */
  | readonly ['out', id: number, isOut: boolean]
  /** There is nobody left to answer. */
  | readonly ['gone', id: number, reason: string]
  /** A large piece of an answer is on its way to clients, or no longer: see `inside/shares.ts`. */
  | readonly ['share', Share]
  | readonly ['unshare', number: number]
  | ForTunnel
  /** Is anyone there? */
  | readonly ['ping']
  | readonly ['stop'];

/** To a thread, about a connection that its app has taken over; `id` is that of the request that asked for it. */
export type ForTunnel =
  | readonly ['tunnelBytes', id: number, bytes: Uint8Array]
  /** The client has taken so many bytes. */
  | readonly ['tunnelTaken', id: number, bytes: number]
  /** The client writes nothing more. */
  | readonly ['tunnelEnd', id: number]
  /** The worker leaves: the app's protocol says so. */
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
  /** Files that it has loaded as modules; only under `--reload`. */
  | readonly ['loaded', readonly string[]]
  /** A part of an answer; `flags` are those of `AnswerFlag`. */
  | readonly ['answer', id: number, flags: number, answer: AnswerPart]
  /** The app wants the body: the client may be told to send it. */
  | readonly ['read', id: number]
  /** The app has taken so many bytes of the body. */
  | readonly ['taken', id: number, bytes: number]
  /** It has heard that it is over time, so it is not in a loop without end. */
  | readonly ['heard', id: number]
  /** It has heard that its client has closed its half; `isOver`: it answers no more. */
  | readonly ['endHeard', id: number, isOver: boolean]
  | readonly ['extend', id: number, ms: number]
  | readonly ['cut', id: number]
  /** The app takes the connection for another protocol: no answer comes. */
  | readonly ['takeOver', id: number]
  | FromTunnel
  /** The answer was the last of its connection, as it turns out after its end. */
  | readonly ['hangUp', id: number]
  | readonly ['failed', id: number, error: ErrorReport]
  /** What the app lets go on after its answer has failed. */
  | readonly ['late', request: LateRequest & { readonly error: ErrorReport }]
  /** A line that the app wrote to `wsgi.errors`. */
  | readonly ['line', string]
  /** What of the app has no effect: each thread says so. */
  | readonly ['warning', string]
  /** Its requests are answered; what the app lets go on after that, or its own code for its end, runs. */
  | readonly ['closing']
  /** A line for the log. */
  | readonly ['say', level: 'info' | 'warn' | 'error', text: string];

/** What HTTP/1.1 has made of it in the thread. */
export interface AnswerPart extends MadeText {
  /** Bytes of the body, so far. */
  readonly sentBytes: number;
  /** Of CPU time, so far; -1 where that is not measured. */
  readonly cpuMicros: number;
  /** Where the bytes lie in shared memory: its number. */
  readonly share?: number;
}

/** Bytes in memory that all threads of a worker have in common. */
export interface Share {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export function bytesIn({ text, bytes, tail }: AnswerPart): number {
  return text.length + (bytes?.byteLength ?? 0) + tail.length;
}

/** What a part of an answer is, as bits. */
export const AnswerFlag = {
  /** An interim response, ahead of the answer. */
  interim: 1,
  /** It begins with the head. */
  head: 2,
  /** With `head`: the connection may persist, as far as the app's side is concerned. */
  persists: 4,
  /** With it the answer is complete. */
  end: 8,
  /** The app is done with this request, and the thread free for the next one. */
  done: 16,
  /** With `end`: it is the last of its connection. */
  hangUp: 32,
  /** With `end`: the thread wants to hear (`out`) when the client has taken it. */
  confirm: 64,
} as const;

/** With `head`, the bits from here on are the status. */
export const statusShift = 8;

/** How much of a request's body may be on its way to a thread. */
export const windowBytes = 256 * 1024;
/**
 * How much of an answer the main thread holds for a client that is slower than the app; then the app, and with it the
 * thread, has to wait. A smaller answer costs no slow client's thread.
 */
export const answerWindowBytes = 1024 * 1024;
/** How much may be on its way through a connection that an app has taken over, in each direction. */
export const tunnelBytes = 256 * 1024;
/** Credit is granted in steps of this size, as the other side takes what was sent. */
export const creditBytes = 64 * 1024;

export interface Request {
  readonly id: number;
  readonly head: RequestHead;
  readonly ends: Ends;
}

const fixedLines = 14;

/** One text for all of a request's head: no part of it can hold a line feed, as the parser has refused those. */
export function writeRequest(id: number, head: RequestHead, ends: Ends, mayPersist: boolean): string {
  const flags =
    head.minorVersion |
    (mayPersist ? 2 : 0) |
    (head.isChunked ? 4 : 0) |
    (head.host === undefined ? 0 : 8) |
    (ends.prefix === undefined ? 0 : 16) |
    (ends.tls === undefined ? 0 : 32) |
    (head.isHttp2 ? 64 : 0) |
    (head.isUpgrade ? 128 : 0);
  const { local, remote, scheme } = ends;
  let text =
    `${id}\n${flags}\n${head.method}\n${head.target}\n${head.path}\n${head.query}\n${head.host ?? ''}\n` +
    `${head.contentLength}\n${scheme}\n${local.address}\n${local.port}\n${remote.address}\n${remote.port}\n${head.requestId ?? ''}`;
  if (ends.prefix !== undefined) text += `\n${ends.prefix}`;
  if (ends.tls !== undefined) text += `\n${JSON.stringify(ends.tls)}`;
  const { names, values } = head;
  for (let index = 0; index < names.length; index++) text += `\n${names[index]!.raw}\n${values[index]}`;
  return text;
}

/** Its inverse. `isKeepAlive` is what `mayPersist` was, and nothing is expected: permission to send is the main thread's. */
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
  if (lines[13] !== '') head.requestId = lines[13];
  for (let index = next; index < lines.length; index += 2) {
    head.names.push(lookUpField(lines[index]!)!);
    head.values.push(lines[index + 1]!);
  }
  return { id: Number(lines[0]), head, ends };
}

/** An error of the app's again, after its trip from a thread. */
export function revive({ name, message, stack, code }: ErrorReport): Error {
  const known = { ...(stack === undefined ? {} : { stack }), ...(code === undefined ? {} : { code }) };
  return Object.assign(new Error(message), { name, ...known });
}
