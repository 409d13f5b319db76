/** Serves what an app takes beyond requests, by the listeners of its `http.Server`: CONNECT, expectations, broken requests. */

import { isIPv6 } from 'node:net';
import type { HttpError } from '../../http/errors.ts';
import type { Exchange, Transport } from '../../http/exchange.ts';
import type { Extras } from '../../http/extras.ts';
import { clientError, codeOf } from './client-error.ts';
import { takeForOwnAnswer } from './own-answer.ts';
import type { Front } from './server.ts';
import { ClientSocket } from './socket.ts';

export function extrasOf(front: Front): Extras {
  const { server } = front;
  return {
    get takesConnect() {
      return server.listenerCount('connect') > 0;
    },
    get takesExpectations() {
      return server.listenerCount('checkExpectation') > 0;
    },
    needsHost: front.needsHost,
    own: front.limits,
    drop({ local, remote }) {
      server.emit('drop', {
        ...{ localAddress: local.address, localPort: Number(local.port), localFamily: familyOf(local.address) },
        ...{ remoteAddress: remote.address, remotePort: Number(remote.port), remoteFamily: familyOf(remote.address) },
      });
    },
    takeConnection(transport) {
      if (front.hearsConnections) socketOn(transport, front);
    },
    takeBroken: (exchange, error) => takeBroken(exchange, error, front),
  };
}

function familyOf(address: string): string {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

/** One for each connection. */
export function socketOn(transport: Transport, front: Front): ClientSocket {
  if (transport.attachment instanceof ClientSocket) return transport.attachment;
  const socket = new ClientSocket(transport, front.server, takeForOwnAnswer);
  transport.attachment = socket;
  front.connect(socket);
  return socket;
}

/** As in `node:http`, the listener answers. If it does nothing, the connection ends at its deadline. */
function takeBroken(exchange: Exchange, error: HttpError, front: Front): boolean {
  const { server } = front;
  const code = codeOf(error);
  const { transport } = exchange;
  if (code === undefined || server.listenerCount('clientError') === 0 || transport.takeBroken === undefined)
    return false;
  const socket = socketOn(transport, front);
  // The listener has closed the connection, or it belongs to another protocol.
  if (socket.destroyed || !socket.writable) return false;
  socket.attach(transport.takeBroken(exchange, socket), undefined);
  try {
    server.emit('clientError', clientError(error, code), socket);
  } catch (failure) {
    transport.logFailure(exchange, failure);
    socket.destroy();
  }
  return true;
}
