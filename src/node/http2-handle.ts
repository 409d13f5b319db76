/**
 * The handle under a stream of `node:http2`, to which a whole answer is written in three steps. Node's own `respond`, `write` and
 * `end` do the same by way of a stream, which takes a third of what a small request costs.
 */

import { symbolOf } from './objects.ts';
import { findBinding, type ShutdownRequest, type WriteRequest } from './stream-binding.ts';

interface StreamHandle {
  respond(fields: readonly [list: string, count: number], options: number): number;
  writeUtf8String(request: WriteRequest, text: string): unknown;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): unknown;
  shutdown(request: ShutdownRequest): number;
}

/** Of `respond`: nothing follows. */
const isEmpty = 1;

const binding = findBinding();
let symbol: symbol | undefined;

function handleOf(stream: object): StreamHandle | undefined {
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
 * @param onWritten called when the body is out, or never will be (a negative status); not called without a body
 * @returns whether that was possible; if not, nothing was sent
 */
export function answerWhole(
  stream: object,
  list: string,
  count: number,
  body: string | Uint8Array | undefined,
  onWritten: (status: number) => void,
): boolean {
  const handle = handleOf(stream);
  if (handle === undefined || binding === undefined) return false;
  if (body === undefined) return handle.respond([list, count], isEmpty) === 0;
  if (handle.respond([list, count], 0) !== 0) return false;
  const request: HeldRequest = new binding.WriteWrap();
  request.oncomplete = tell;
  request.onWritten = onWritten;
  if (typeof body === 'string') handle.writeUtf8String(request, body);
  else {
    request.held = body;
    handle.writeBuffer(request, body);
  }
  const end = new binding.ShutdownWrap();
  end.oncomplete = ignore;
  handle.shutdown(end);
  return true;
}

interface HeldRequest extends WriteRequest {
  onWritten?: ((status: number) => void) | undefined;
}

/** A request outlives its write by some collections of garbage: what it has held must not. */
function tell(this: HeldRequest, status: number): void {
  const { onWritten } = this;
  this.onWritten = undefined;
  this.held = undefined;
  onWritten?.(status);
}

function ignore(): void {}
