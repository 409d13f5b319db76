/** What an exchange needs of what carries it: a connection of HTTP/1.1, a stream of HTTP/2, or the port of a thread. */

import type { AnswerSink } from './answer-sink.ts';
import type { Ends } from './ends.ts';
import type { Field } from './h1/writer.ts';
import type { Attachment, Tunnel, TunnelEvents } from './tunnel.ts';

/** An answer with details in place of a plain 500, for the developers of the app. */
export interface ShownFailure {
  readonly fields: readonly Field[];
  readonly body: string;
}

/** What a request needs of its carrier while it comes in. */
export interface RequestSource {
  readonly ends: Ends;
  /** Where the answer goes. */
  readonly answer: AnswerSink;
  /** The name of the field that carries a request's id, in lower case. */
  readonly requestIdHeader: string;
  pauseBody(): void;
  resumeBody(): void;
}

/** `Exchange` is a parameter so that this file need not know it: a request and its answer are built on their transport. */
export interface TransportOf<Exchange> extends RequestSource {
  /** Bytes that the app has sent and the kernel has not taken. Stays above 0 if some never will be taken. */
  readonly pendingBytes: number;
  /** Of the connection so far, for node apps that ask. Absent in a thread. */
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** How long the client may leave the connection idle. 0: the connection does not persist; absent: not known. */
  readonly keepAliveMs?: number;
  /** Calls back in a later tick, when the kernel has all that was sent until now; with an error if it never will. */
  whenTaken(callback: (error?: Error) => void): void;
  /** Whether another request may follow this one. */
  mayPersist(exchange: Exchange): boolean;
  /** The answer is complete. */
  finish(exchange: Exchange): void;
  /** Takes back what was sent of the current answer. @returns false if some of it has left already */
  retract?(): boolean;
  /** Ends the connection in a way that shows the client that the answer is not complete. */
  cut(): void;
  /**
   * The app closes this connection. What it has answered is sent first. A current answer ends with a FIN, as in
   * `node:http`, if that shows that it is not complete.
   * @param answered if given, and another request is being answered by now, that answer is not cut, but is the last
   */
  hangUp(answered?: Exchange): void;
  /** The app asks for more time, in milliseconds. */
  extendDeadline(exchange: Exchange, ms: number): void;
  /**
   * Logs a failure of the app. The client gets no details.
   * @param isLate whether work failed that went on after the answer
   */
  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void;
  /** What the client sees of a failure, if it may see details. */
  showFailure?: ((exchange: Exchange, error: unknown) => ShownFailure | undefined) | undefined;
  /** Work of the app that goes on after its answer. A worker that stops waits for it. @param work never rejects */
  waitFor(work: Promise<void>): void;
  attachment?: Attachment | undefined;
  /** Whether it is a stream of HTTP/2. */
  readonly isHttp2?: boolean;
  /** Of the connection, if the watchdog may answer there. */
  readonly descriptor?: number | undefined;
  /** The object by which the server knows the connection, if that carries several requests at once. */
  readonly connection?: object;
  /**
   * An app in a thread now knows that its client has closed its half.
   * @param isOver whether the app will not answer any more: see `endsWithClient`
   */
  noteEndHeard?(exchange: Exchange, isOver: boolean): void;
  /**
   * Gives the connection to the app, instead of an answer (an upgrade). Absent if that is not possible.
   * @returns `rest`: the bytes that were read beyond the request
   */
  takeOver?(exchange: Exchange, events: TunnelEvents): { readonly tunnel: Tunnel; readonly rest: Buffer };
  /**
   * Gives the connection to the app, which answers in bytes of its own; after that the connection ends. For a request that
   * breaks the rules (see `Extras.takeBroken`), or one whose answer has not begun. Nothing more is read.
   */
  takeBroken?(exchange: Exchange, events: TunnelEvents): Tunnel;
}
