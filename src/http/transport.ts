/** What an exchange needs of what carries it: a connection of HTTP/1.1, a stream of HTTP/2, or the port of a thread. */

import type { AnswerSink } from './answer-sink.ts';
import type { Ends } from './ends.ts';
import type { Field } from './h1/writer.ts';
import type { Attachment, Tunnel, TunnelEvents } from './tunnel.ts';

/** An answer in place of a plain 500, for those who write the app. */
export interface ShownFailure {
  readonly fields: readonly Field[];
  readonly body: string;
}

/** What a request needs of it while it comes in. */
export interface RequestSource {
  readonly ends: Ends;
  /** Where the answer goes. */
  readonly answer: AnswerSink;
  /** The field that carries a request's id, in small letters. */
  readonly requestIdHeader: string;
  pauseBody(): void;
  resumeBody(): void;
}

/** `Exchange` is a parameter so that this file need not know it: a request and its answer are built on their transport. */
export interface TransportOf<Exchange> extends RequestSource {
  /** What was sent and is not on its way to the client. Where some never will be, it stays above 0. */
  readonly pendingBytes: number;
  /** Of the connection, so far: what node apps may ask for. Not there in a thread. */
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** How long the client may leave the connection idle; 0 where none may, absent where it is not known. */
  readonly keepAliveMs?: number;
  /** Calls back in a later tick, when all that was sent until now is on its way; with an error where it never will be. */
  whenTaken(callback: (error?: Error) => void): void;
  /** Whether another request may follow this one. */
  mayPersist(exchange: Exchange): boolean;
  /** The answer is complete. */
  finish(exchange: Exchange): void;
  /** Takes back what was sent of the answer under way. @returns whether none of it was on the wire yet */
  retract?(): boolean;
  /** Ends the connection so that the client can tell that the answer is not complete. */
  cut(): void;
  /**
   * The app wants no more of this connection: once what it has answered is out. An answer under way ends with a plain end of
   * the connection (FIN), as in `node:http`, where that shows that it is not complete.
   * @param answered where given, the answers to requests behind that one are not cut, but the last ones
   */
  hangUp(answered?: Exchange): void;
  /** The app asks for more time, in milliseconds. */
  extendDeadline(exchange: Exchange, ms: number): void;
  /**
   * A failure that the client must not see the inside of.
   * @param isLate of work that was to go on after the answer, which does not depend on it
   */
  logFailure(exchange: Exchange, error: unknown, isLate?: boolean): void;
  /** What the client sees of a failure, where it may see the inside. */
  showFailure?: ((exchange: Exchange, error: unknown) => ShownFailure | undefined) | undefined;
  /** Work of the app that may go on after its answer, and never rejects: who leaves waits for it. */
  waitFor(work: Promise<void>): void;
  attachment?: Attachment | undefined;
  /** Whether it is a stream of HTTP/2. */
  readonly isHttp2?: boolean;
  /** Of the connection, if the watchdog may answer there. */
  readonly descriptor?: number | undefined;
  /** What a server knows the connection by, where that carries several requests at once. */
  readonly connection?: object;
  /**
   * An app in a thread of its own has heard that its client has closed its half.
   * @param isOver whether it answers no more: see `endsWithClient`
   */
  noteEndHeard?(exchange: Exchange, isOver: boolean): void;
  /**
   * Gives the connection away, instead of an answer; absent where that cannot be done.
   * @returns with `rest`, the bytes that were read beyond the request
   */
  takeOver?(exchange: Exchange, events: TunnelEvents): { readonly tunnel: Tunnel; readonly rest: Buffer };
  /**
   * Gives the connection away for the app to answer in bytes of its own, after which it ends: a request that breaks the rules
   * (see `Extras.takeBroken`), or one whose answer has not begun. Nothing more is read.
   */
  takeBroken?(exchange: Exchange, events: TunnelEvents): Tunnel;
}
