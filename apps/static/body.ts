/** Bytes of an open file as a response body: a few at a time, and the file is closed however the answer ends. */

import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Body } from 'tsgun';
import type { Range } from './select.ts';

/** What is sent in one write; of a larger file, this much is in memory at a time. Twice the rate of 64 KiB. */
const pieceBytes = 256 * 1024;

/** A piece of the file, or text to send as it is. */
export type Part = Range | string;

export function byteLength(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : lengthOf(part)), 0);
}

/** Several ranges in one body (RFC 9110 §14.6). */
export function multipart(ranges: readonly Range[], type: string, size: number): { type: string; parts: Part[] } {
  const boundary = randomUUID();
  const parts = ranges.flatMap(({ start, end }): Part[] => [
    `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: bytes ${start}-${end}/${size}\r\n\r\n`,
    { start, end },
  ]);
  return { type: `multipart/byteranges; boundary=${boundary}`, parts: [...parts, `\r\n--${boundary}--\r\n`] };
}

/** Owns the handle, and closes it. */
export async function fileBody(handle: FileHandle, parts: readonly Part[]): Promise<Body> {
  // A generator that was never begun would not reach its own `finally`; the server calls close() in any case (PEP 3333).
  if (byteLength(parts) > pieceBytes)
    return { [Symbol.asyncIterator]: () => read(handle, parts), close: () => handle.close() };
  try {
    const pieces: Buffer[] = [];
    for await (const piece of read(handle, parts)) pieces.push(piece);
    return pieces.length === 1 ? pieces : [Buffer.concat(pieces)];
  } finally {
    await handle.close();
  }
}

async function* read(handle: FileHandle, parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part);
    else yield* readRange(handle, part);
  }
}

async function* readRange(handle: FileHandle, range: Range): AsyncGenerator<Buffer> {
  for (let position = range.start; position <= range.end; ) {
    const room = Buffer.allocUnsafe(Math.min(pieceBytes, range.end + 1 - position));
    const { bytesRead } = await handle.read(room, 0, room.length, position);
    // The file has become shorter. The server sees that bytes are missing, and lets the client see it too.
    if (bytesRead === 0) return;
    yield room.subarray(0, bytesRead);
    position += bytesRead;
  }
}

function lengthOf({ start, end }: Range): number {
  return end + 1 - start;
}
