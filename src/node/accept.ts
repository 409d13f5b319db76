/** Accepted connections as handles, ahead of the Socket that Node would make of each (a listening handle's `onconnection`). */

import type net from 'node:net';
import { ConnectionHandle, type Peer, type ServerHandle, type StreamHandle } from './handles.ts';
import { internalsAreOff } from './switch.ts';

interface ListenerHandle extends Pick<StreamHandle, 'setNoDelay'> {
  onconnection?: (status: number, handle: StreamHandle) => void;
}

/** Linux's accepted sockets have the options of their listener: one system call less for each. */
const isNoDelayInherited = process.platform === 'linux';

/**
 * From now on, gives the connections of a listener to `take` as handles, ahead of the Socket that Node would make of each.
 * Ours is made with options that `net.Server` does not have, and a second Socket would cost an eighth of the
 * connections per second.
 * @returns false if that is impossible: then connections come as Sockets, by the event
 */
export function takeConnections(listener: net.Server, take: (handle: ConnectionHandle, peer: Peer) => void): boolean {
  if (internalsAreOff || !('_handle' in listener)) return false;
  const server = listener._handle as ListenerHandle | null;
  if (typeof server?.onconnection !== 'function') return false;
  const original = server.onconnection;
  if (isNoDelayInherited) server.setNoDelay?.(true);
  server.onconnection = function (status, handle) {
    if (status !== 0) return original.call(this, status, handle);
    if (!isNoDelayInherited) handle.setNoDelay?.(true);
    const peer: Peer = {};
    handle.getpeername?.(peer);
    take(new ConnectionHandle(handle), peer);
  };
  return true;
}

/**
 * Accepts on a handle until it is closed.
 * @returns 0, or the system's error number
 */
export function acceptOn(
  handle: ServerHandle,
  backlog: number,
  take: (connection: ConnectionHandle, peer: Peer) => void,
): number {
  handle.onconnection = (status, accepted) => {
    // Usually no descriptor is free: the connection keeps waiting.
    if (status !== 0) return;
    if (!isNoDelayInherited) accepted.setNoDelay?.(true);
    const peer: Peer = {};
    accepted.getpeername?.(peer);
    take(new ConnectionHandle(accepted), peer);
  };
  if (isNoDelayInherited) handle.setNoDelay?.(true);
  return handle.listen?.(backlog) ?? -1;
}
