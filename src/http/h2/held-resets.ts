/**
 * Resets in what a client has sent before Node's session reads from it. The session would make a stream of each request among that
 * before it could be stopped: of 64 KiB, two thousand.
 */

import type { Duplex } from 'node:stream';

/** RFC 9113 §3.4, §4.1, §6.4. */
const prefaceBytes = 24;
const headBytes = 9;
const rstStream = 3;

/** @returns whether there were more than so many; then all of it but the preface is gone */
export function dropTooManyResets(socket: Duplex, limit: number): boolean {
  if (socket.readableLength <= prefaceBytes) return false;
  const held = socket.read() as Buffer | null;
  if (held === null) return false;
  const isTooMuch = countResets(held) > limit;
  socket.unshift(isTooMuch ? held.subarray(0, prefaceBytes) : held);
  return isTooMuch;
}

function countResets(bytes: Buffer): number {
  let count = 0;
  for (let at = prefaceBytes; at + headBytes <= bytes.length; at += headBytes + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === rstStream) count++;
  return count;
}
