/** From a listening socket to the server's connections, and the addresses that both ends go by. */

import { createServer, type Server } from 'node:net';
import { takeConnections } from '../node/accept.ts';
import type { Peer, Waiting } from './h1/host.ts';
import type { Incoming } from './wire/wire.ts';

/**
 * What a unix socket goes by: it has no address, but SERVER_NAME and SERVER_PORT are never empty (PEP 3333, "environ
 * Variables"). Not taken from Host, as gunicorn does: that is the client's to choose, and an app that wants it has HTTP_HOST.
 */
const unixName = 'localhost';
const unixPort = '80';

/** What connections are given to, and what is told where they come from. */
export interface ConnectionServer {
  localAddress: string;
  localPort: string;
  readonly connectionCount: number;
  serve(incoming: Incoming, peer: Peer): unknown;
  /** The connections that can make room for others, where that is known. */
  waiting?(): readonly Waiting[];
}

/** Tells a server where it listens; without an address, on a unix socket. */
export function setLocalEnd(
  server: ConnectionServer,
  end: { readonly address?: string; readonly port?: number },
): void {
  server.localAddress = end.address ?? unixName;
  server.localPort = end.port === undefined ? unixPort : String(end.port);
}

/**
 * A listener whose connections the server serves. It is the caller's to make it listen, and to close it.
 * @param serve takes them in its place
 */
export function createListener(
  server: ConnectionServer,
  serve = (incoming: Incoming, peer: Peer): unknown => server.serve(incoming, peer),
): Server {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    serve(socket, { address: socket.remoteAddress ?? '', port: String(socket.remotePort ?? '') }),
  );
  listener.once('listening', () => {
    takeConnections(listener, (handle, { address, port }) =>
      serve(handle, { address: address ?? '', port: String(port ?? '') }),
    );
    const address = listener.address();
    setLocalEnd(server, typeof address === 'object' && address !== null ? address : {});
  });
  return listener;
}
