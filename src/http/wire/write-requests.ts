/** libuv's write requests, as `HandleWire` uses them. Most writes end at once, so the next write can use the same request. */

import { type Binding, findBinding, type WriteRequest, type Written } from '../../node/stream-binding.ts';

/** Undefined if Node does not have it; then this file is not used. */
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

/** Taken out: a hook of async_hooks may write meanwhile, and must get another one. */
export function takeRequest(): WriteRequest | null {
  if (kLastWriteErr !== undefined) return null;
  const request = spare ?? newRequest();
  spare = null;
  return request;
}

function newRequest(): WriteRequest {
  const request = new WriteWrap();
  request.oncomplete = noteEarly;
  return request;
}

/** TLS below which the connection is broken: the write fails before it has returned. */
function noteEarly(this: WriteRequest, status: number): void {
  this.writeStatus = status;
}

/** The request of a write that has ended. */
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

/** The result of a write that ended before its wire was known: over TLS, and on Node 26. */
export function earlyStatus(request: WriteRequest): number | undefined {
  if (kLastWriteErr !== undefined && state[kLastWriteErr] !== 0) return state[kLastWriteErr];
  return typeof request.writeStatus === 'number' ? request.writeStatus : undefined;
}

/**
 * Calls the wire when an unfinished write ends.
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
