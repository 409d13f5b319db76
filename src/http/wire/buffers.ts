/** The memory into which bytes are read, and in which they are joined. */

/** As large as libuv's own reads. */
const readBytes = 64 * 1024;

/**
 * Shared by all connections: a read and what it leads to are one synchronous step, which must copy what it keeps. So an idle
 * connection holds no buffer, and a read allocates nothing: 1.2 times the requests per second.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(readBytes);

const sharedView = new DataView(sharedBuffer.buffer);

/** The same bytes as a DataView. */
export function viewOf(bytes: Buffer): DataView {
  return isShared(bytes) && bytes.byteOffset === 0
    ? sharedView
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A buffer to read into. With `isOwned`, the connection may keep it. */
export function readBuffer(isOwned: boolean): Buffer {
  return isOwned ? Buffer.allocUnsafeSlow(readBytes) : sharedBuffer;
}

/** Whether bytes lie in the shared buffer, which the next read overwrites. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === sharedBuffer.buffer;
}

/** Scratch memory in which a head and a body are joined. If the kernel does not take all of it at once, it is replaced. */
let scratch = Buffer.allocUnsafeSlow(32 * 1024);

/**
 * A copy of a few microseconds is cheaper than the memory of a new buffer, or the bookkeeping of two writes.
 * @param isWaiting whether it has to wait behind others; then the scratch buffer would be given away for every piece
 * @returns undefined for what is too large to be copied
 */
export function putTogether(head: string, bytes: Uint8Array, tail: string, isWaiting: boolean): Buffer | undefined {
  const bodyEnd = head.length + bytes.byteLength;
  const length = bodyEnd + tail.length;
  if (length > scratch.length) return undefined;
  const target = isWaiting ? Buffer.allocUnsafe(length) : scratch;
  target.write(head, 0, 'latin1');
  target.set(bytes, head.length);
  if (tail !== '') target.write(tail, bodyEnd, 'latin1');
  return target.subarray(0, length);
}

/** Its bytes are still to be written from where they are. */
export function giveAwayScratch(whole: Buffer): void {
  if (whole.buffer === scratch.buffer) scratch = Buffer.allocUnsafeSlow(scratch.length);
}
