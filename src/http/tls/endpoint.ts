/**
 * TLS for the connections of one server: they are decrypted by Node's own `tls.Server`, which never listens. A client that
 * has sent nothing yet costs no more than its socket.
 */

import type { Socket } from 'node:net';
// Not the global, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Server, TLSSocket } from 'node:tls';
import { tlsModule } from '../../node/builtin.ts';
import type { Ends } from '../ends.ts';
import { HttpError } from '../errors.ts';
import { plainAnswer } from '../plain-answer.ts';
import { takeHeaderAhead } from '../proxy-protocol/ahead.ts';
import { mayBeHeader } from '../proxy-protocol/header.ts';
import type { Proxied, ProxyProtocol } from '../proxy-protocol/proxied.ts';
import { foreignHeader } from '../proxy-protocol/proxied.ts';
import { DeferredWire } from '../wire/deferred-wire.ts';
import { socketOf } from '../wire/open-wire.ts';
import { openSecure } from '../wire/secure-wire.ts';
import type { Incoming, Wire } from '../wire/wire.ts';
import { variablesOf } from './client.ts';
import { Contexts, contextOptions } from './contexts.ts';
import type { TlsFiles, TlsPolicy } from './files.ts';
import { awaitHello } from './hello.ts';

export interface TlsEndpointOptions {
  readonly files: TlsFiles;
  readonly policy: TlsPolicy;
  /** How long a handshake may take. */
  readonly handshakeMs: number;
  readonly proxyProtocol: ProxyProtocol | undefined;
  /** Offered by ALPN (RFC 7301), the preferred one first. */
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  /** Called when there were so many handshakes at once that the oldest was dropped. */
  readonly onCrowded: () => void;
}

/**
 * Handshakes that may be under way at once: each takes some 60 KB. Beyond that, the oldest is dropped, so that half-open
 * clients lose to real ones. Clients that have not sent their whole hello do not count.
 */
const maxHandshakes = 4096;

const plainHttp = new HttpError(400, 'this port speaks HTTPS: ask for https:// in place of http://');
const onlyHttp2 = new HttpError(505, 'this port speaks HTTP/2 only');

/** Takes a connection whose client speaks HTTP/2. */
type Speak = (connection: Proxied, socket: TLSSocket) => void;

interface Pending {
  readonly wire: DeferredWire;
  readonly connection: Proxied;
  readonly speakHttp2: Speak;
  /** Whether it is for an app of raw connections, whose protocol is its own. */
  readonly isRaw: boolean;
}

export class TlsEndpoint {
  private readonly options: TlsEndpointOptions;
  private readonly server: Server;
  private contexts: Contexts;
  /** Connections whose handshake is under way, oldest first, by the ends of their sockets. */
  private readonly pending = new Map<string, Pending>();

  constructor(options: TlsEndpointOptions) {
    const { files, policy, handshakeMs } = options;
    this.options = options;
    this.contexts = new Contexts(files, policy);
    this.server = tlsModule().createServer({
      ...contextOptions(files, policy),
      SNICallback: (host, answer) => answer(null, this.contexts.find(host)),
      requestCert: policy.clients !== 'none',
      rejectUnauthorized: policy.clients === 'required',
      handshakeTimeout: handshakeMs,
      // An app of raw connections has none. With an empty list, Node would refuse all clients that offer a protocol.
      ...(options.protocols.length === 0 ? {} : { ALPNProtocols: [...options.protocols] }),
    });
    this.server.on('secureConnection', (socket) => this.accept(socket));
    this.server.on('tlsClientError', (_, socket) => socket.destroy());
  }

  /** New connections get these; open ones keep theirs. @throws the error of OpenSSL; then nothing has changed */
  update(files: TlsFiles): void {
    const { policy } = this.options;
    this.contexts = new Contexts(files, policy);
    this.server.setSecureContext(contextOptions(files, policy));
  }

  /** The wire of a connection. It delivers nothing until the handshake is over. */
  open(incoming: Incoming, connection: Proxied, speakHttp2: Speak, isRaw = false): Wire {
    const raw = socketOf(incoming);
    const peer = connection.ends.remote.address;
    const wire = new DeferredWire(raw, connection);
    const timer = setTimeout(() => raw.destroy(), this.options.handshakeMs).unref();
    raw.once('close', () => clearTimeout(timer));
    wire.onAttached = () => clearTimeout(timer);
    const { proxyProtocol, handshakeMs } = this.options;
    // The PROXY header comes ahead of TLS.
    takeHeaderAhead(raw, connection, proxyProtocol, handshakeMs, () =>
      awaitHello(raw, {
        takeHello: () => this.begin(raw, { wire, connection, speakHttp2, isRaw }),
        takeOther: (bytes) => this.refuse(raw, bytes, peer, isRaw),
      }),
    );
    return wire;
  }

  /**
   * A connection for an app of raw connections.
   * @param onSecure takes it when the handshake is over
   * @param onGone called instead if it ends before that
   */
  openRaw(
    incoming: Incoming,
    ends: Ends,
    onSecure: (socket: TLSSocket, ends: Ends) => void,
    onGone: () => void,
  ): { destroy(): void } {
    const nothing = () => {};
    const connection: Proxied = {
      ends,
      nextBuffer: () => Buffer.alloc(0),
      takeBytes: nothing,
      takeEnd: nothing,
      takeDrain: nothing,
      takeClose: onGone,
      refuse: nothing,
    };
    return this.open(incoming, connection, (_, socket) => onSecure(socket, connection.ends), true);
  }

  private begin(raw: Socket, pending: Pending): void {
    const key = keyOf(raw);
    this.makeRoom();
    this.pending.set(key, pending);
    raw.once('close', () => {
      if (this.pending.get(key) === pending) this.pending.delete(key);
    });
    // The TLS socket takes it from this one. A client that ends amid the handshake has left.
    raw.allowHalfOpen = false;
    this.server.emit('connection', raw);
  }

  private makeRoom(): void {
    if (this.pending.size < maxHandshakes) return;
    const [key, oldest] = this.pending.entries().next().value!;
    this.pending.delete(key);
    oldest.wire.destroy();
    this.options.onCrowded();
  }

  /** A client that speaks plain HTTP gets an answer that people can read. */
  private refuse(raw: Socket, bytes: Buffer, peer: string, isRaw: boolean): void {
    if (mayBeHeader(bytes)) {
      this.options.proxyProtocol?.onRefused(peer, foreignHeader);
      raw.destroy();
    } else if (!isRaw && /^[A-Z]/.test(bytes.toString('latin1', 0, 1))) {
      raw.resume();
      raw.end(plainAnswer(plainHttp));
    } else raw.destroy();
  }

  /** The handshake is over, and Node has checked the client's certificate. */
  private accept(socket: TLSSocket): void {
    socket.allowHalfOpen = true;
    const { clients } = this.options.policy;
    const found = this.pending.get(keyOf(socket));
    this.pending.delete(keyOf(socket));
    // An optional certificate must be good if there is one.
    const isBad = clients === 'optional' && !socket.authorized && socket.getPeerX509Certificate() !== undefined;
    if (found === undefined || isBad) return void socket.destroy();
    const { wire, connection, speakHttp2, isRaw } = found;
    connection.ends = { ...connection.ends, tls: variablesOf(socket, clients !== 'none') };
    if (isRaw || socket.alpnProtocol === 'h2') wire.giveAway(() => speakHttp2(connection, socket));
    else if (this.options.protocols.includes('http/1.1')) wire.attach(socket, (events) => openSecure(socket, events));
    // A client that offers no protocol speaks HTTP/1.1.
    else socket.resume().end(plainAnswer(onlyHttp2));
  }
}

/** A key that a socket and the TLS socket over it share, and no other open socket has. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
