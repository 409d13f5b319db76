/** Takes the PROXY header off a socket before its protocol is known (TLS, or HTTP/2). */

import type { Socket } from 'node:net';
import { endsBehind, type Proxied, type ProxyProtocol } from './proxied.ts';
import { takeProxyHeader } from './raw.ts';

/**
 * Calls back when the header is read and the connection knows its client; at once where none is expected. A socket without a
 * good header is reset.
 * @param ms how long the header may take
 */
export function takeHeaderAhead(
  socket: Socket,
  connection: Proxied,
  protocol: ProxyProtocol | undefined,
  ms: number,
  done: () => void,
): void {
  const peer = connection.ends.remote.address;
  if (protocol?.expects(peer) !== true) return done();
  const refuse = (why: string) => {
    protocol.onRefused(peer, why);
    socket.resetAndDestroy();
  };
  takeProxyHeader(
    socket,
    protocol.version,
    ms,
    (header) => {
      connection.ends = endsBehind(connection.ends, header);
      done();
    },
    refuse,
  );
}
