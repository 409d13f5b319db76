/** From a listening socket to the server's connections, and the addresses that both ends go by. */

import { createServer, type Server, type Socket } from 'node:net';
import { takeConnections } from '../node/accept.ts';
import { type End, remoteEnd, unixEnd } from './ends.ts';
import type { Waiting } from './h1/host.ts';
import type { Incoming } from './wire/wire.ts';

/** What connections are given to, and what is told where they come from. */
export interface ConnectionServer {
  local: End;
  readonly connectionCount: number;
  serve(incoming: Incoming, remote: End): unknown;
  /** The connections that can make room for others, where that is known. */
  waiting?(): readonly Waiting[];
}

/** Tells a server where it listens; without an address, on a unix socket. */
export function setLocalEnd(
  server: ConnectionServer,
  end: { readonly address?: string; readonly port?: number },
): void {
  server.local = end.address === undefined ? unixEnd : { address: end.address, port: String(end.port ?? unixEnd.port) };
}

/**
 * A listener whose connections the server serves. It is the caller's to make it listen, and to close it.
 * @param serve takes them in its place
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
