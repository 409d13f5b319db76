/** How bytes are read from a socket, and the two things that only a net.Socket can do. Any Duplex will serve for the rest. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type OnBytes, readInto } from '../internals.ts';

/** Shared by all connections: a read and what it leads to are one synchronous step. As large as libuv's own reads. */
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Begins to read a stream that has not been read yet. `onBytes` gets a buffer that is overwritten by the next read.
 * @returns the stream to write to, which may be another object for the same socket
 */
export function readFrom(stream: Duplex, onBytes: OnBytes, onEnd: () => void): Duplex {
  const fast = stream instanceof Socket ? readInto(sharedBuffer, stream, onBytes) : undefined;
  const reader = fast ?? stream;
  if (fast === undefined) reader.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length));
  reader.on('end', onEnd);
  reader.resume();
  return reader;
}

/** Closes a connection with a reset where that can be had: the only end that no client takes for a complete answer. */
export function resetConnection(stream: Duplex): void {
  if (stream instanceof Socket && stream.remoteAddress !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}

/**
 * Calls back when nothing of what was written has gone out for `ms`; 0 stops the watch. Node's own timer looks at the
 * progress inside a write, so a slow reader of a large piece is not taken for a stalled one.
 */
export function onStall(stream: Duplex, ms: number, callback?: () => void): void {
  if (!(stream instanceof Socket)) return;
  stream.removeAllListeners('timeout');
  stream.setTimeout(ms, callback);
}
