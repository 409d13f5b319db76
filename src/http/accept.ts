/** Turns accepted sockets into connections of the server, with the addresses of both ends. */

import { createServer, type Server, type Socket } from 'node:net';
import { takeConnections } from '../node/accept.ts';
import { type End, remoteEnd, unixEnd } from './ends.ts';
import type { Waiting } from './host.ts';
import type { Incoming } from './wire/wire.ts';

/** A server of connections, which is told where it listens. */
export interface ConnectionServer {
  local: End;
  readonly connectionCount: number;
  serve(incoming: Incoming, remote: End): unknown;
  /** The connections that can be closed to make room for others. Absent if that is not known. */
  waiting?(): readonly Waiting[];
}

/** Tells a server where it listens. Without an address, it listens on a unix socket. */
export function setLocalEnd(
  server: ConnectionServer,
  end: { readonly address?: string; readonly port?: number },
): void {
  server.local = end.address === undefined ? unixEnd : { address: end.address, port: String(end.port ?? unixEnd.port) };
}

/**
 * A listener whose connections the server serves. The caller makes it listen, and closes it.
 * @param serve takes the connections instead of the server
 */
export function createListener(
  server: ConnectionServer,
  serve = (incoming: Incoming, remote: End): unknown => server.serve(incoming, remote),
): Server {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    serve(socket, endOf(socket)),
  );
  listener.once('listening', () => {
    takeConnections(listener, (handle, peer) => serve(handle, remoteEnd(peer)));
    const address = listener.address();
    setLocalEnd(server, typeof address === 'object' && address !== null ? address : {});
  });
  return listener;
}

/** The client's end, of a socket that Node has accepted. */
export function endOf({ remoteAddress, remotePort }: Socket): End {
  return remoteEnd(remoteAddress === undefined ? {} : { address: remoteAddress, port: remotePort ?? '' });
}
