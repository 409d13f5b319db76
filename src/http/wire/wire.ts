/**
 * The two ends of a connection's bytes, as the engine uses them: a `Wire` to write to, and `WireEvents` for what comes.
 * There are two kinds: over libuv's handle, and over any Duplex.
 */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionHandle } from '../../node/internals.ts';
import { contextsStay } from '../context.ts';
import { giveAwayScratch, putTogether } from './buffers.ts';
import { canUseHandles, HandleWire } from './handle-wire.ts';
import type { RawHandle } from './stream-binding.ts';

/** A connection that has not been read yet: a handle, or any stream that allows half-open use. */
export type Incoming = ConnectionHandle | Duplex;

export interface WireEvents {
  /** The memory of the next read: asked before the first and after each. It must stay untouched until that read. */
  nextBuffer(): Buffer;
  /** The first `length` bytes are new, and valid during the call. */
  takeBytes(bytes: Buffer, length: number): void;
  /** The client writes nothing more. */
  takeEnd(): void;
  /** All that was written has gone out, after a write that returned false. */
  takeDrain(): void;
  /** Once, at the end, in a later turn of the loop than what ended it. */
  takeClose(): void;
}

export interface Wire {
  /** Whether an app may have left something in the async context that reads run in: see `context.ts`. */
  readonly isMarked: boolean;
  /** Bytes that the kernel has not taken. */
  readonly pendingBytes: number;
  readonly isPaused: boolean;
  /** @param text latin1 @returns false when the client takes less than it is sent: `takeDrain` follows */
  write(text: string): boolean;
  /** Latin1 text, bytes, and text again, in one system call. */
  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean;
  pause(): void;
  resume(): void;
  /** Says that nothing more comes, once all of it is out; calls back when that is so. */
  end(done?: () => void): void;
  destroy(): void;
  /** Closes with a reset where that can be had: the only end that no client takes for a complete answer. */
  cut(): void;
  /**
   * Calls back when nothing of what was written has gone out for `ms`, twice that at the latest; 0 stops the watch. A slow
   * reader of a large piece is not taken for a stalled one.
   */
  watchStall(ms: number, onStall?: () => void): void;
}

/** Begins to read. */
export function openWire(incoming: Incoming, events: WireEvents): Wire {
  if (!(incoming instanceof ConnectionHandle)) return new StreamWire(incoming, events);
  const handle = incoming.handle as unknown as RawHandle;
  if (canUseHandles) return new HandleWire(handle, events);
  return new StreamWire(new Socket({ handle, allowHalfOpen: true } as never), events);
}

/** Over any Duplex; what only a `net.Socket` can do, it does where it has one. */
class StreamWire implements Wire {
  private readonly stream: Duplex;

  constructor(stream: Duplex, events: WireEvents) {
    this.stream = stream;
    stream.on('data', (bytes: Buffer) => events.takeBytes(bytes, bytes.length));
    stream.on('end', () => events.takeEnd());
    stream.on('drain', () => events.takeDrain());
    stream.on('close', () => events.takeClose());
    stream.on('error', () => {});
    stream.resume();
  }

  get isMarked(): boolean {
    return contextsStay;
  }

  get pendingBytes(): number {
    return this.stream.writableLength;
  }

  get isPaused(): boolean {
    return this.stream.isPaused();
  }

  write(text: string): boolean {
    return this.stream.write(text, 'latin1');
  }

  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean {
    const { stream } = this;
    const isWaiting = stream.writableLength > 0;
    const whole = putTogether(head, bytes, tail, isWaiting);
    if (whole !== undefined) {
      const isTaking = stream.write(whole);
      if (stream.writableLength > 0) giveAwayScratch(whole);
      return isTaking;
    }
    stream.cork();
    if (head !== '') stream.write(Buffer.from(head, 'latin1'));
    const isTaking = stream.write(bytes);
    if (tail !== '') stream.write(tail, 'latin1');
    stream.uncork();
    return isTaking && !stream.writableNeedDrain;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  end(done?: () => void): void {
    this.stream.end(done);
  }

  destroy(): void {
    this.stream.destroy();
  }

  cut(): void {
    const { stream } = this;
    // A Socket that is cut then would neither reset nor close.
    const isShuttingDown = stream.writableEnded && !stream.writableFinished && stream.writableLength === 0;
    if (stream instanceof Socket && stream.remoteAddress !== undefined && !isShuttingDown) stream.resetAndDestroy();
    else stream.destroy();
  }

  watchStall(ms: number, onStall?: () => void): void {
    const { stream } = this;
    if (!(stream instanceof Socket)) return;
    stream.removeAllListeners('timeout');
    stream.setTimeout(ms, () => {
      if (stream.writableLength > 0) onStall?.();
    });
  }
}
