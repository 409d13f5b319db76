/** Decides how the wires of a server's connections are made, and hands over clients that speak HTTP/2. */

import type { Duplex } from 'node:stream';
import type { Trusted } from './forwarding/trust.ts';
import type { Http2Events } from './h2/connection.ts';
import { openKnowing } from './h2/prior-knowledge.ts';
import type { Timeouts } from './limits.ts';
import { type Proxied, ProxyHeaderFilter, type ProxyProtocol } from './proxy-protocol/proxied.ts';
import type { TlsEndpoint } from './tls/endpoint.ts';
import { type OpenWire, openWire } from './wire/open-wire.ts';

export interface Http2Options extends Http2Events {
  /** Without TLS: peers that may begin with HTTP/2 at once. */
  readonly knowing: Trusted | undefined;
  /** Whether HTTP/1.1 is spoken too. */
  readonly withHttp1: boolean;
}

export interface OpenerOptions {
  readonly timeouts: Timeouts;
  /** Set if connections begin with a PROXY header. */
  readonly proxyProtocol?: ProxyProtocol | undefined;
  /** Set if connections are over TLS; it reads the PROXY header too. */
  readonly tls?: TlsEndpoint | undefined;
  /** Set if HTTP/2 is spoken, beside HTTP/1.1 or alone. */
  readonly http2?: Http2Options | undefined;
}

/** @param speak takes a connection whose client speaks HTTP/2 */
export function opener(
  { proxyProtocol, tls, http2, timeouts }: OpenerOptions,
  speak: (connection: Proxied, socket: Duplex) => void,
): OpenWire {
  if (tls !== undefined) return (incoming, connection) => tls.open(incoming, connection, speak);
  if (http2?.knowing !== undefined) return openKnowing(http2.knowing, proxyProtocol, timeouts, http2.withHttp1, speak);
  if (proxyProtocol === undefined) return openWire;
  return (incoming, connection) => openWire(incoming, new ProxyHeaderFilter(connection, proxyProtocol));
}
