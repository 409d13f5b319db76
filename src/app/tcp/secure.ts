/** The tcp interface over TLS: the app has a connection when its handshake is over. */

import type { TLSSocket } from 'node:tls';
import { type End, type Ends, plainScheme } from '../../http/ends.ts';
import type { TlsEndpoint } from '../../http/tls/endpoint.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import type { RawServerOptions } from '../interface.ts';
import { nameClient, type TcpApp, TcpServer } from './tcp.ts';

export class SecureTcpServer extends TcpServer {
  private readonly tls: TlsEndpoint;
  private readonly onGone: (() => void) | undefined;
  /** Connections in their handshake. */
  private readonly handshakes = new Set<{ destroy(): void }>();

  /** The PROXY header comes ahead of TLS, and is the endpoint's to read. */
  constructor(app: TcpApp, options: RawServerOptions, tls: TlsEndpoint) {
    super(app, { ...options, proxied: undefined });
    this.tls = tls;
    this.onGone = options.onGone;
  }

  override serve(incoming: Incoming, peer: End): void {
    this.accepted++;
    const ends: Ends = { local: this.local, remote: peer, scheme: plainScheme };
    const handshake = this.tls.openRaw(
      incoming,
      ends,
      (socket, { remote }) => {
        this.handshakes.delete(handshake);
        this.accepted--;
        super.serve(prepared(socket, remote === peer ? undefined : remote), remote);
      },
      () => {
        this.handshakes.delete(handshake);
        this.onGone?.();
      },
    );
    this.handshakes.add(handshake);
  }

  override get connectionCount(): number {
    return super.connectionCount + this.handshakes.size;
  }

  /** A client in its handshake has asked for nothing. */
  override async drain(): Promise<void> {
    await super.drain();
    this.endHandshakes();
  }

  override destroy(): void {
    this.endHandshakes();
    super.destroy();
  }

  private endHandshakes(): void {
    for (const handshake of this.handshakes) handshake.destroy();
  }
}

/** @param client who stands behind a proxy */
function prepared(socket: TLSSocket, client: End | undefined): TLSSocket {
  if (client !== undefined) nameClient(socket, client);
  // As without TLS, half-open use is allowed. A TLS socket cannot be reset; an end without `close_notify` tells the client the same.
  socket.allowHalfOpen = true;
  socket.resetAndDestroy = () => socket.destroy();
  return socket;
}
