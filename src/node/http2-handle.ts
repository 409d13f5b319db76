/**
 * The handle under a stream of `node:http2`, to which a whole answer is written in three steps. Node's own `respond`, `write` and
 * `end` do the same by way of a stream.
 */

import { symbolOf } from './objects.ts';
import { findBinding, type ShutdownRequest, type WriteRequest } from './stream-binding.ts';

export interface StreamHandle {
  respond(fields: readonly [list: string, count: number], options: number): number;
  writeUtf8String(request: WriteRequest, text: string): unknown;
  writeLatin1String(request: WriteRequest, text: string): unknown;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): unknown;
  shutdown(request: ShutdownRequest): number;
}

/** Called when a body has been sent. */
export interface WholeOwner {
  /** The body is sent; with a negative status it never will be. */
  takeWhole(status: number): void;
}

/** Of `respond`: nothing follows. */
const isEmpty = 1;
/** Of `shutdown`: it is done. */
const isShut = 1;

const binding = findBinding();
let symbol: symbol | undefined;
let spareEnd: ShutdownRequest | undefined;

/** Whether this Node has what `answerWhole` needs beside the handle. */
export const canAnswerWhole = binding !== undefined;

export function handleOf(stream: object): StreamHandle | undefined {
  if (binding === undefined) return undefined;
  symbol ??= symbolOf(stream, 'kHandle');
  const handle = symbol === undefined ? undefined : (Reflect.get(stream, symbol) as Partial<StreamHandle> | undefined);
  return typeof handle?.respond === 'function' && typeof handle.writeUtf8String === 'function'
    ? (handle as StreamHandle)
    : undefined;
}

/**
 * Nothing else may have been written, or be written later.
 * @param list of each field: name, NUL, value, NUL, and a character of flags; pseudo-fields first
 * @param count of fields
 * @param length of the body in bytes
 * @param owner hears of the body, if there is one
 * @returns whether that was possible; if not, nothing was sent
 */
export function answerWhole(
  handle: StreamHandle | undefined,
  list: string,
  count: number,
  body: string | Uint8Array | undefined,
  length: number,
  owner: WholeOwner,
): boolean {
  if (handle === undefined || binding === undefined) return false;
  if (body === undefined) return handle.respond([list, count], isEmpty) === 0;
  if (handle.respond([list, count], 0) !== 0) return false;
  const request: HeldRequest = new binding.WriteWrap();
  request.oncomplete = tell;
  request.owner = owner;
  if (typeof body === 'string') {
    // For a text in UTF-8, Node first takes three times the memory. As many bytes as characters are ASCII, which is the same in both.
    if (length === body.length) handle.writeLatin1String(request, body);
    else handle.writeUtf8String(request, body);
  } else {
    request.held = body;
    handle.writeBuffer(request, body);
  }
  const end = spareEnd ?? new binding.ShutdownWrap();
  spareEnd = undefined;
  end.oncomplete = ignore;
  if (handle.shutdown(end) === isShut) spareEnd = end;
  return true;
}

interface HeldRequest extends WriteRequest {
  owner?: WholeOwner | undefined;
}

/** A request outlives its write by some collections of garbage: what it has held must not. */
function tell(this: HeldRequest, status: number): void {
  const { owner } = this;
  this.owner = undefined;
  this.held = undefined;
  owner?.takeWhole(status);
}

function ignore(): void {}
