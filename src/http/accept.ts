/** From a listening socket to the server's connections, and the addresses that both ends go by. */

import { createServer, type Server } from 'node:net';
import { takeConnections } from '../internals.ts';
import type { HttpServer } from './server.ts';

/**
 * What a unix socket goes by: it has no address, but SERVER_NAME and SERVER_PORT are never empty (PEP 3333, "environ
 * Variables"). Not taken from Host, as gunicorn does: that is the client's to choose, and an app that wants it has HTTP_HOST.
 */
const unixName = 'localhost';
const unixPort = '80';

/** A listener whose connections the server serves. It is the caller's to make it listen, and to close it. */
export function createListener(server: HttpServer): Server {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    server.serve(socket, { address: socket.remoteAddress ?? '', port: String(socket.remotePort ?? '') }),
  );
  listener.once('listening', () => {
    takeConnections(listener, (handle, { address, port }) =>
      server.serve(handle, { address: address ?? '', port: String(port ?? '') }),
    );
    const address = listener.address();
    const isUnix = typeof address !== 'object' || address === null;
    server.localAddress = isUnix ? unixName : address.address;
    server.localPort = isUnix ? unixPort : String(address.port);
  });
  return listener;
}
