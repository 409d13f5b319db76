/** What serves in the name of a server that does not listen itself. */

import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { isHttp2Server } from '../detect.ts';
import { listenerOf } from '../node/http2-stream.ts';

/** Whether it is a server for TLS: those of node:http have no such method. */
export function isTlsServer(server: object): boolean {
  return 'setSecureContext' in server;
}

/** What takes the requests of a server. */
export function appOf(server: Server): unknown {
  return isHttp2Server(server) ? listenerOf(server) : server;
}

/**
 * A raw connection, as a server has it.
 * @param count connections now, with this one
 */
export function connect(server: Server, socket: Socket, count: number): Promise<unknown> | undefined {
  const { allowHalfOpen, pauseOnConnect } = server as { allowHalfOpen?: boolean; pauseOnConnect?: boolean };
  const { maxConnections } = server as { maxConnections?: number | null };
  if (maxConnections !== undefined && maxConnections !== null && count > maxConnections) {
    const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
    socket.destroy();
    server.emit('drop', { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily });
    return undefined;
  }
  Object.assign(socket, { server });
  if (pauseOnConnect === true) socket.pause();
  server.emit('connection', socket);
  // The app ends its side by itself.
  return allowHalfOpen === true ? once(socket, 'close') : undefined;
}
