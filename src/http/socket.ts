/** How bytes are read from a socket, and the two things that only a net.Socket can do. Any Duplex will serve for the rest. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionHandle, type OnBytes, readInto } from '../internals.ts';

/** A connection that has not been read yet: a handle, or any stream that allows half-open use. */
export type Incoming = ConnectionHandle | Duplex;

/** As large as libuv's own reads. */
const readBytes = 64 * 1024;

/** Shared by all connections: a read and what it leads to are one synchronous step, which must copy what it keeps. */
const sharedBuffer = Buffer.allocUnsafeSlow(readBytes);

/** A buffer to read into. One of its own (`isOwned`) is the connection's to keep. */
export function readBuffer(isOwned: boolean): Buffer {
  return isOwned ? Buffer.allocUnsafeSlow(readBytes) : sharedBuffer;
}

/** Whether bytes read lie in memory that nobody else will write to. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === sharedBuffer.buffer;
}

/**
 * Begins to read.
 * @param nextBuffer where the next read goes, if that can be chosen
 * @returns the stream to write to
 */
export function readFrom(incoming: Incoming, nextBuffer: () => Buffer, onBytes: OnBytes, onEnd: () => void): Duplex {
  const isHandle = incoming instanceof ConnectionHandle;
  const stream = isHandle ? readInto(nextBuffer, incoming, onBytes) : incoming;
  if (!isHandle) stream.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length));
  stream.on('end', onEnd);
  stream.resume();
  return stream;
}

/** Closes a connection with a reset where that can be had: the only end that no client takes for a complete answer. */
export function resetConnection(stream: Duplex): void {
  if (stream instanceof Socket && stream.remoteAddress !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}

/**
 * Calls back when nothing of what was written has gone out for `ms`, twice that at the latest; 0 stops the watch. Node's
 * own timer looks at the progress inside a write, so a slow reader of a large piece is not taken for a stalled one.
 */
export function onStall(stream: Duplex, ms: number, callback?: () => void): void {
  if (!(stream instanceof Socket)) return;
  stream.removeAllListeners('timeout');
  stream.setTimeout(ms, callback);
}

/** Where a head and a body are put together. Given away when the kernel does not take all of it at once. */
let scratch = Buffer.allocUnsafeSlow(32 * 1024);

/**
 * Writes latin1 text, bytes, and text again in one system call.
 * @returns what the last write returned: false when the client takes less than it is sent
 */
export function writeTogether(stream: Duplex, head: string, bytes: Uint8Array, tail: string): boolean {
  const bodyEnd = head.length + bytes.byteLength;
  const length = bodyEnd + tail.length;
  if (length <= scratch.length) {
    // Behind what the kernel has not taken, a scratch buffer would be given away for every piece, however small.
    const isWaiting = stream.writableLength > 0;
    const target = isWaiting ? Buffer.allocUnsafe(length) : scratch;
    // A copy of a few microseconds is cheaper than the memory of a new buffer, or the bookkeeping of two writes.
    target.write(head, 0, 'latin1');
    target.set(bytes, head.length);
    if (tail !== '') target.write(tail, bodyEnd, 'latin1');
    const isTaking = stream.write(target.subarray(0, length));
    if (!isWaiting && stream.writableLength > 0) scratch = Buffer.allocUnsafeSlow(scratch.length);
    return isTaking;
  }
  stream.cork();
  if (head !== '') stream.write(Buffer.from(head, 'latin1'));
  const isTaking = stream.write(bytes);
  if (tail !== '') stream.write(tail, 'latin1');
  stream.uncork();
  return isTaking && !stream.writableNeedDrain;
}
