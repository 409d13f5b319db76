/**
 * Everything that tsgun uses of Node without it being documented: all of it is here, nothing of it elsewhere. Each has a
 * measured gain, and returns undefined where Node does not have it; the caller then goes the documented way.
 * `TSGUN_NO_INTERNALS=1` turns all of it off, which is how the tests run both ways.
 */

import net from 'node:net';

const isOff = Boolean(process.env.TSGUN_NO_INTERNALS);

/** What libuv calls a stream handle. */
export interface ServerHandle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd?: number,
) => ServerHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as { _createServerHandle?: CreateServerHandle };

/** Whether sockets can be bound in one process and accepted on in another. */
export const canBindForOthers = !isOff && typeof createServerHandle === 'function';

/**
 * Binds without listening, so that this process never accepts: `node:cluster` does the same for its shared sockets. With
 * the workers accepting for themselves there are 1.5 times the new connections per second of a master that hands them on.
 * @returns the handle, or the system's error number
 */
export function bindHandle(address: string, port: number, family: 4 | 6): ServerHandle | number {
  const handle = createServerHandle!(address, port, family);
  if (typeof handle === 'number') return handle;
  // An address in use shows only now: libuv puts that error off.
  const code = handle.getsockname({});
  if (code === 0) return handle;
  handle.close();
  return code;
}

/** What `server.listen` takes in place of an address to accept on an inherited descriptor, without asking cluster's primary. */
export function inheritedHandle(fd: number): { _handle: ServerHandle } {
  const handle = createServerHandle!(null, null, null, fd);
  if (typeof handle === 'number') throw new Error(`descriptor ${fd} is not a listening socket`);
  return { _handle: handle };
}

export type OnBytes = (bytes: Buffer, length: number) => void;

/**
 * A socket that reads into a buffer of ours, made of the handle of an accepted one that has not been read. One buffer for
 * all connections means that an idle one holds none and that a read allocates nothing: 1.2 times the requests per second.
 */
export function readInto(buffer: Buffer, stream: net.Socket, onBytes: OnBytes): net.Socket | undefined {
  if (isOff || !('_handle' in stream)) return undefined;
  const handle = stream._handle as object | null;
  if (handle === null || typeof handle !== 'object' || !('readStart' in handle)) return undefined;
  stream._handle = null;
  const callback = (length: number, bytes: Uint8Array): boolean => {
    onBytes(bytes as Buffer, length);
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer, callback } };
  return new net.Socket(options);
}
