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
  /** Where the wire enters what the client has not taken, from the first write on; undefined where nobody asks. */
  readonly share?: HeldShare | undefined;
  /** The memory of the next read: asked before the first and after each. It must stay untouched until that read. */
  nextBuffer(): Buffer;
  /** The first `length` bytes are new, and valid during the call. */
  takeBytes(bytes: Buffer, length: number): void;
  /** The client writes nothing more. */
  takeEnd(): void;
  /** All that was written has gone out, after a write that returned false. */
  takeDrain(): void;
  /** The connection has failed, such as by a client's reset: its end follows. */
  takeFailure?(error: Error): void;
  /** Once, at the end, in a later turn of the loop than what ended it. */
  takeClose(): void;
}

export interface Wire {
  /**
   * Whether an app may have left something in the async context that reads run in since this was first asked, ahead of the
   * first request: see `context.ts`.
   */
  readonly isMarked: boolean;
  /** Bytes that the kernel has not taken. Where some never will be, it stays above 0. */
  readonly pendingBytes: number;
  readonly isPaused: boolean;
  /** So far, with what waits; 0 where nobody counts. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Whether nothing that is written goes anywhere. */
  readonly isDestroyed: boolean;
  /** By which Node's async hooks know it, where that can be had: what a request's code waits for was triggered by it. */
  readonly asyncId?: number | undefined;
  /** @param text latin1 @returns false when the client takes less than it is sent: `takeDrain` follows */
  write(text: string): boolean;
  /** Latin1 text, bytes, and text again, in one system call. */
  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean;
  /** Calls back in a later tick, when all that was written until now has gone out. */
  whenTaken(callback: Taken): void;
  /** From now on it writes only where the watchdog has not. Not there where the descriptor is not known. */
  claimIn?(claims: AnswerClaims, fd: number): void;
  /** Until the wire is destroyed: the descriptor, and the claim with it, may be another connection's then. */
  readonly claim?: AnswerClaim | undefined;
  pause(): void;
  resume(): void;
  /** Says that nothing more comes, once all of it is out; calls back when that is so. */
  end(done?: () => void): void;
  destroy(): void;
  /** Closes with a reset if the system allows it: no client takes that end for a complete answer. */
  cut(): void;
  /**
   * Calls back when nothing of what was written has gone out for `ms`, twice that at the latest; 0 stops the watch. A slow
   * reader of a large piece is not taken for a stalled one.
   */
  watchStall(ms: number, onStall?: () => void): void;
}
