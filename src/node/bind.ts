/** Sockets that are bound in one process and accepted on in another (`net._createServerHandle`). */

import { closeSync } from 'node:fs';
import net from 'node:net';
import type { ServerHandle } from './handles.ts';
import { listenReally } from './listen.ts';
import { internalsAreOff } from './switch.ts';

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd?: number,
  flags?: number,
) => ServerHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as { _createServerHandle?: CreateServerHandle };

/** Whether sockets can be bound in one process and accepted on in another. */
export const canBindForOthers = !internalsAreOff && typeof createServerHandle === 'function';

/** libuv's UV_TCP_IPV6ONLY. */
const ipv6OnlyFlag = 1;

/**
 * Binds without listening, so that this process never accepts: `node:cluster` does the same for its shared sockets. With
 * the workers accepting for themselves, there are 1.5 times the new connections per second of a master that passes them on.
 * @param isIpv6Only for family 6: whether `::` leaves IPv4 to others
 * @returns the handle, or the system's error number
 */
export function bindHandle(address: string, port: number, family: 4 | 6, isIpv6Only = false): ServerHandle | number {
  const handle = createServerHandle!(address, port, family, undefined, isIpv6Only ? ipv6OnlyFlag : 0);
  if (typeof handle === 'number') return handle;
  // libuv reports an address in use only now.
  const code = handle.getsockname?.({}) ?? 0;
  if (code === 0) return handle;
  handle.close();
  return code;
}

/**
 * The same for a unix socket, which makes the file.
 * @returns how to close it, or the system's error number; ENOENT comes as EACCES
 */
export function bindPath(path: string): { readonly fd: number; close(): void } | number {
  // -1 and -1: what node:net itself says for a path.
  const handle = createServerHandle!(path, -1, -1);
  if (typeof handle === 'number') return handle;
  const { fd } = handle;
  // handle.close() would remove whatever has that name by then, a successor's socket too. It never listened, so libuv
  // does not watch the descriptor.
  return { fd, close: () => closeSync(fd) };
}

/** A handle for a listening socket that this process was given. Closing the handle closes the descriptor. */
export function inheritedHandle(fd: number): ServerHandle | undefined {
  const handle = createServerHandle!(null, null, null, fd);
  return typeof handle === 'number' ? undefined : handle;
}

/** Accepts on an inherited descriptor, without asking cluster's primary as `listen({ fd })` does. Errors come as events. */
export function listenOn(server: net.Server, fd: number, backlog: number): void {
  const handle = inheritedHandle(fd);
  if (handle === undefined) throw new Error(`descriptor ${fd} is not a listening socket`);
  // `listen` takes TCP handles only; a unix socket's is asked for its descriptor, and that shared through the primary.
  if (handle.getsockname !== undefined) listenReally(server, { _handle: handle }, backlog);
  else listenOnPipe(server as unknown as PipeServer, handle, backlog);
}

interface PipeServer {
  _handle: ServerHandle;
  _listen2(address: null, port: -1, addressType: -1, backlog: number): void;
}

function listenOnPipe(server: PipeServer, handle: ServerHandle, backlog: number): void {
  server._handle = handle;
  server._listen2(null, -1, -1, backlog);
}
