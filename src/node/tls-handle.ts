/**
 * The handle under a `tls.TLSSocket`, which is read and written like a socket's own: it encrypts and decrypts below Node's
 * streams.
 */

import type { TLSSocket } from 'node:tls';
import type { RawHandle } from './stream-binding.ts';

/** The connection below: it says what has gone out, which a handle of TLS says only of a whole write. */
export interface CarryingHandle {
  readonly writeQueueSize: number;
  readonly bytesWritten: number;
}

export interface SecureHandle {
  readonly handle: RawHandle;
  readonly carrier: CarryingHandle;
}

const methods = ['readStart', 'readStop', 'useUserBuffer', 'writeLatin1String', 'writeBuffer', 'writev', 'shutdown'];

/** @returns undefined where it is another than the one that is known here, or over a stream of the app's making */
export function secureHandleOf(socket: TLSSocket): SecureHandle | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: RawHandle & { readonly _parent?: unknown } };
  if (handle === undefined || handle === null) return undefined;
  const carrier = handle._parent as Partial<CarryingHandle> | undefined;
  const isKnown =
    methods.every((name) => typeof Reflect.get(handle, name) === 'function') &&
    typeof carrier?.writeQueueSize === 'number' &&
    typeof carrier.bytesWritten === 'number';
  return isKnown ? { handle, carrier: carrier as CarryingHandle } : undefined;
}
