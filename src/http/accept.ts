/** From a listening socket to the server's connections, and the addresses that both ends go by. */

import { createServer, type Server } from 'node:net';
import { takeConnections } from '../internals.ts';
import type { HttpServer } from './server.ts';

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
    if (typeof address !== 'object' || address === null) return;
    server.localAddress = address.address;
    server.localPort = String(address.port);
  });
  return listener;
}
