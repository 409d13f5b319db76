/**
 * The tcp interface: `(socket, { signal }) => void` on a raw connection. The protocol is the app's. This file decides when
 * a connection begins and ends, and tells the app when it must end.
 */

import { isIPv6, Socket, type SocketConstructorOpts } from 'node:net';
import { watchSilence } from '../../http/departure.ts';
import { type End, nowhere, plainScheme } from '../../http/ends.ts';
import { departureMs } from '../../http/limits.ts';
import { type Member, MemberList } from '../../http/member-list.ts';
import type { ProxyHeader } from '../../http/proxy-protocol/header.ts';
import { foreignHeader } from '../../http/proxy-protocol/proxied.ts';
import { takeProxyHeader, watchForHeader } from '../../http/proxy-protocol/raw.ts';
import type { Suspect } from '../../http/suspect.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import { asyncIdOf, ConnectionHandle } from '../../node/handles.ts';
import { onClientEnd } from '../../node/socket-end.ts';
import type { RawServer, RawServerOptions } from '../interface.ts';
import { traceConnection } from '../tracing.ts';

export interface TcpContext {
  /**
   * Aborted when the connection has to end: its worker leaves, and cuts it at `gracefulTimeout`; or when it has ended.
   */
  readonly signal: AbortSignal;
}

/**
 * Called once for each connection. When the client has ended its side and what the app returned is settled, the other side
 * is ended too; also when the app has then written nothing for a second, or for its own `socket.setTimeout`, if that is
 * longer. If it throws or rejects, the connection is cut.
 */
export type TcpApp = (socket: Socket, context: TcpContext) => unknown;

/** After this silence TCP sends its first keep-alive probe, which the machine of a client that vanished does not answer. */
const keepAliveProbeMs = 60_000;

interface Connection extends Member {
  /** The client, as far as it is known. */
  peer: End;
  readonly startedAt: number;
  readonly socket: Socket;
  readonly controller: AbortController;
  outcome: 'answered' | 'cut' | 'aborted';
  isTold: boolean;
  /** Of its bytes in each direction, those that were counted. */
  counted: readonly [received: number, sent: number];
}

/** The connections of one worker to one address. */
export class TcpServer implements RawServer {
  /** Connections that have ended. */
  requests = 0;
  /** Connections so far. */
  accepted = 0;
  local: End = nowhere;
  private readonly app: TcpApp;
  private readonly options: RawServerOptions;
  private readonly connections = new MemberList<Connection>();
  private isDraining = false;
  private onEmpty: (() => void) | undefined = undefined;

  constructor(app: TcpApp, options: RawServerOptions) {
    this.app = app;
    this.options = options;
  }

  serve(incoming: Incoming, peer: End): void {
    this.accepted++;
    const socket = socketOf(incoming).setKeepAlive(true, keepAliveProbeMs);
    const controller = new AbortController();
    const startedAt = performance.now();
    const connection: Connection = {
      place: -1,
      peer,
      socket,
      controller,
      startedAt,
      outcome: 'answered',
      isTold: false,
      counted: [0, 0],
    };
    this.connections.add(connection);
    // A client that breaks off is not an error of the app; an app that wants to know of it listens too.
    socket.on('error', () => {
      if (connection.outcome === 'answered') connection.outcome = 'aborted';
    });
    socket.once('close', () => this.forget(connection));
    // Where nobody reads, the client's end would never be seen behind what it has sent.
    socket.once('finish', () => {
      if (socket.readableFlowing === null) socket.resume();
    });
    const { proxied } = this.options;
    if (proxied === undefined) this.begin(connection);
    else this.identify(connection, proxied);
  }

  /** The app gets the connection after its PROXY header. A header of a peer that may not send one ends the connection. */
  private identify(connection: Connection, { protocol, headerMs }: NonNullable<RawServerOptions['proxied']>): void {
    const { socket, peer } = connection;
    const refuse = (why: string) => {
      connection.outcome = 'cut';
      protocol.onRefused(peer.address, why);
      socket.resetAndDestroy();
    };
    if (!protocol.expects(peer.address)) {
      watchForHeader(socket, () => refuse(foreignHeader));
      return this.begin(connection);
    }
    const onHeader = ({ client }: ProxyHeader) => {
      if (socket.destroyed) return;
      if (client !== undefined) {
        connection.peer = client;
        nameClient(socket, client);
      }
      this.begin(connection);
    };
    takeProxyHeader(socket, protocol.version, headerMs, onHeader, refuse);
  }

  private begin(connection: Connection): void {
    const { socket, peer } = connection;
    if (this.options.isRelayed !== true) onClientEnd(socket, () => this.depart(socket));
    if (this.isDraining) connection.controller.abort(leaving());
    const onEnd = this.options.onBegin?.(peer);
    if (onEnd !== undefined) socket.once('close', onEnd);
    void traceConnection('tcp', peer, (failed) => this.call(connection, failed));
    // The client's end must be seen even if the app does not read.
    if (socket.readableFlowing === null) socket.read(0);
  }

  /** The client has ended its side. An app that is silent for too long then has forgotten it, or waits for its end. */
  private depart(socket: Socket): void {
    const stop = watchSilence(
      () => 2 * socket.bytesWritten - socket.writableLength,
      () => Math.max(departureMs, socket.timeout ?? 0),
      () => {
        if (socket.writableLength > 0) socket.resetAndDestroy();
        else socket.destroySoon();
      },
    );
    socket.once('close', stop);
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** As requests are listed, for the log. */
  running(): { method: string; path: string; ms: number }[] {
    const now = performance.now();
    return [...this.connections].map(({ peer, startedAt }) => ({
      method: 'TCP',
      path: `${peer.address}:${peer.port}`,
      ms: Math.round(now - startedAt),
    }));
  }

  suspects(): Suspect[] {
    return [...this.connections].map((connection) => ({
      asyncId: asyncIdOf(connection.socket),
      isOpen: !connection.socket.destroyed,
      // It may have been answered any number of times.
      isStarted: true,
      fail: (error) => {
        this.options.onFailure(connection.peer, error);
        this.cut(connection);
      },
    }));
  }

  /** Tells the app to finish; resolves when no connection is left. A caller with a deadline calls `destroy` then. */
  async drain(): Promise<void> {
    this.isDraining = true;
    for (const { controller } of this.connections) controller.abort(leaving());
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const connection of this.connections) this.cut(connection);
  }

  private cut(connection: Connection): void {
    connection.outcome = 'cut';
    connection.socket.resetAndDestroy();
  }

  tellUnfinished(): void {
    for (const connection of this.connections) {
      connection.outcome = 'cut';
      this.tell(connection);
    }
  }

  countTraffic(): void {
    for (const connection of this.connections) this.count(connection);
  }

  private count(connection: Connection): void {
    const { traffic } = this.options.observers ?? {};
    if (traffic === undefined) return;
    const { socket, counted } = connection;
    const { bytesRead, bytesWritten } = socket;
    traffic[0]! += bytesRead - counted[0];
    traffic[1]! += bytesWritten - counted[1];
    connection.counted = [bytesRead, bytesWritten];
  }

  private tell(connection: Connection): void {
    const { observers } = this.options;
    if (observers === undefined || connection.isTold) return;
    connection.isTold = true;
    const { socket, outcome, startedAt, peer } = connection;
    observers.tellConnection({
      outcome,
      sentBytes: socket.bytesWritten,
      receivedBytes: socket.bytesRead,
      durationMs: performance.now() - startedAt,
      ends: { local: this.local, remote: peer, scheme: plainScheme },
    });
  }

  private async call(connection: Connection, failed: (error: unknown) => void): Promise<void> {
    const { socket, peer } = connection;
    const { signal } = connection.controller;
    const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', resolve));
    try {
      await this.app(socket, { signal });
      await ended;
      // Only after what else listens for the end has been called: it may have last words.
      if (!socket.destroyed) socket.end();
    } catch (error) {
      // A read or a write that the end of the connection has broken off.
      if (!socket.destroyed && !signal.aborted) {
        failed(error);
        this.options.onFailure(peer, error);
      }
      if (!socket.destroyed) this.cut(connection);
    }
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection);
    this.requests++;
    this.count(connection);
    this.tell(connection);
    connection.controller.abort(new DOMException('the connection has ended', 'AbortError'));
    this.options.onGone?.();
    if (this.connections.size === 0) this.onEmpty?.();
  }
}

/** What Node says of the other end of a socket, for one whose client stands behind a proxy. */
export function nameClient(socket: Socket, { address, port }: End): void {
  const family = isIPv6(address) ? 'IPv6' : 'IPv4';
  const told = { remoteAddress: address, remotePort: Number(port), remoteFamily: family };
  for (const [name, value] of Object.entries(told)) Object.defineProperty(socket, name, { value, configurable: true });
}

function leaving(): DOMException {
  return new DOMException('the worker is leaving: finish and end the connection', 'AbortError');
}

/** Half-open use is allowed: what a client asks for before it ends its side is still answered. */
function socketOf(incoming: Incoming): Socket {
  if (incoming instanceof ConnectionHandle)
    return new Socket({ handle: incoming.handle, allowHalfOpen: true } as SocketConstructorOpts);
  if (!(incoming instanceof Socket)) throw new Error('a raw connection needs a socket');
  // It comes paused; the app's first listener is to make it flow, as it does with any other.
  return Object.assign(incoming, { readableFlowing: null });
}
