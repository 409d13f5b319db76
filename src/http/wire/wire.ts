/**
 * The two ends of a connection's bytes, as the engine uses them: a `Wire` to write to, and `WireEvents` for what comes.
 * There are two kinds: over libuv's handle, and over any Duplex.
 */

import type { Duplex } from 'node:stream';
import type { ConnectionHandle } from '../../node/handles.ts';
import type { HeldShare } from '../held-answers.ts';
import type { AnswerClaim, AnswerClaims } from './answer-claims.ts';
import type { Taken } from './taken.ts';

/** A connection that has not been read yet: a handle, or any stream that allows half-open use. */
export type Incoming = ConnectionHandle | Duplex;

export interface WireEvents {
  /** Where the wire records what the client has not taken, from the first write on; undefined if that is not counted. */
  readonly share?: HeldShare | undefined;
  /** The memory of the next read: asked before the first and after each. It must stay untouched until that read. */
  nextBuffer(): Buffer;
  /** The first `length` bytes are new, and valid during the call. */
  takeBytes(bytes: Buffer, length: number): void;
  /** The client writes nothing more. */
  takeEnd(): void;
  /** After a write that returned false: everything that was written is sent. */
  takeDrain(): void;
  /** The connection has failed, such as by a client's reset: its end follows. */
  takeFailure?(error: Error): void;
  /** The connection has ended. Called once, in a later turn of the event loop than what ended it. */
  takeClose(): void;
}

export interface Wire {
  /**
   * Whether an app may have left something in the async context that reads run in since this was first asked, ahead of the
   * first request: see `context.ts`.
   */
  readonly isMarked: boolean;
  /** Bytes that the kernel has not taken. Stays above 0 if it never will take some. */
  readonly pendingBytes: number;
  readonly isPaused: boolean;
  /** So far, with those that wait; 0 if they are not counted. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Whether the wire is closed: what is written is dropped. */
  readonly isDestroyed: boolean;
  /** The connection's id in Node's async hooks, if known: it is the trigger id of what a request's code waits for. */
  readonly asyncId?: number | undefined;
  /** @param text latin1 @returns false when the client takes less than it is sent: `takeDrain` follows */
  write(text: string): boolean;
  /** Latin1 text, bytes, and text again, in one system call. */
  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean;
  /** Calls back in a later tick, when all that was written until now is sent. */
  whenTaken(callback: Taken): void;
  /** From now on the wire writes only if the watchdog has not answered. Absent if the descriptor is not known. */
  claimIn?(claims: AnswerClaims, fd: number): void;
  /** Until the wire is destroyed: the descriptor, and the claim with it, may be another connection's then. */
  readonly claim?: AnswerClaim | undefined;
  pause(): void;
  resume(): void;
  /** Sends a FIN after all that was written, and calls back then. */
  end(done?: () => void): void;
  destroy(): void;
  /** Closes with a reset if the system allows it: no client takes that end for a complete answer. */
  cut(): void;
  /**
   * Calls back when the kernel has taken nothing of what was written for `ms`, or after twice that at the latest; 0 stops
   * the watch. A slow reader of a large piece is not taken for a stalled one.
   */
  watchStall(ms: number, onStall?: () => void): void;
}
