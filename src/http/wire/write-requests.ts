/** libuv's write requests, as `HandleWire` uses them: most writes end at once, and leave theirs for the next one. */

import { type Binding, findBinding, type WriteRequest, type Written } from '../../node/stream-binding.ts';

/** Undefined where Node does not have it; then no write gets here. */
export const binding = findBinding();

/** Whether this Node has what handles need to be read and written without streams. */
export const canUseHandles = binding !== undefined;

const {
  WriteWrap,
  streamBaseState: state,
  kBytesWritten,
  kLastWriteWasAsync,
  kLastWriteErr,
} = binding ?? ({} as Binding);

let spare: WriteRequest | null = null;

/** Taken, so that no write that a hook of async_hooks makes meanwhile gets the same. */
export function takeRequest(): WriteRequest | null {
  if (kLastWriteErr !== undefined) return null;
  const request = spare ?? new WriteWrap();
  spare = null;
  return request;
}

/** Of a write that has ended. */
export function giveBack(request: WriteRequest | null): void {
  spare = request;
}

/**
 * @param given what the write was called with
 * @returns the request of a write that goes on
 */
export function unfinished(given: WriteRequest | null, written: Written): WriteRequest | null {
  if (typeof written === 'object') return written;
  const isUnfinished = written === 0 && kLastWriteErr === undefined && state[kLastWriteWasAsync] !== 0;
  return isUnfinished ? given : null;
}

/** Node 26: how a write ended that ended before it was known whom to tell. */
export function earlyStatus(request: WriteRequest): number | undefined {
  if (kLastWriteErr !== undefined && state[kLastWriteErr] !== 0) return state[kLastWriteErr];
  return typeof request.writeStatus === 'number' ? request.writeStatus : undefined;
}

/**
 * Has the wire told when an unfinished write ends.
 * @param held memory that libuv reads until then
 * @returns the bytes of the write
 */
export function follow(request: WriteRequest, wire: NonNullable<WriteRequest['wire']>, held: unknown): number {
  request.wire = wire;
  request.held = held;
  request.oncomplete = onWritten;
  request.bytes = state[kBytesWritten]!;
  return request.bytes;
}

function onWritten(this: WriteRequest, status: number): void {
  this.wire?.takeWritten(this, status);
}
