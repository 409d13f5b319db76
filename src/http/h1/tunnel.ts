/** A connection after an upgrade (RFC 9110 §7.8): its bytes belong to another protocol, and pass through unread. */

import type { Bytes, Exchange, Tunnel, TunnelEvents } from '../exchange.ts';
import type { Host } from '../host.ts';
import type { Wire } from '../wire/wire.ts';

/** What it needs of its connection. */
export interface Tunnelled {
  readonly wire: Wire;
  noteWritten(bytes: number): void;
  /** Ends the connection when all is sent. */
  close(): void;
}

export class WireTunnel implements Tunnel {
  /** The app's side of the connection. */
  readonly events: TunnelEvents;
  protected readonly connection: Tunnelled;
  protected readonly exchange: Exchange;

  constructor(connection: Tunnelled, exchange: Exchange, events: TunnelEvents) {
    this.connection = connection;
    this.exchange = exchange;
    this.events = events;
  }

  /** From the client. */
  takeBytes(bytes: Buffer): void {
    this.exchange.receivedBytes += bytes.length;
    this.events.takeBytes(bytes);
  }

  /** Counts the request. Its observers hear of it when the connection ends. */
  count(host: Host): void {
    const { exchange } = this;
    const { observers } = exchange;
    exchange.observers = undefined;
    host.countRequest(exchange);
    exchange.observers = observers;
  }

  tellObservers(): void {
    this.exchange.tellObservers();
  }

  write(bytes: Bytes): boolean {
    this.connection.noteWritten(bytes.byteLength);
    if (this.exchange.sentBytes === 0) this.exchange.status ||= statusIn(bytes);
    this.exchange.sentBytes += bytes.byteLength;
    return this.connection.wire.writeTogether('', bytes, '');
  }

  pause(): void {
    this.connection.wire.pause();
  }

  resume(): void {
    this.connection.wire.resume();
  }

  end(): void {
    this.connection.wire.end();
  }

  destroy(): void {
    this.connection.wire.destroy();
  }

  cut(): void {
    this.connection.wire.cut();
  }
}

/** The connection of a broken request that the app answers by itself. What it writes must reach the client. */
export class BrokenTunnel extends WireTunnel {
  override end(): void {
    this.connection.close();
  }

  /** Closing a socket with unread bytes sends a reset, which can overtake the answer. */
  override destroy(): void {
    if (this.exchange.sentBytes === 0) super.destroy();
    else this.connection.close();
  }
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)[ \r]/;

/** The status of the answer that the app writes itself, before the other protocol; empty if it is no answer of HTTP. */
function statusIn(bytes: Bytes): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('latin1');
  return statusLine.exec(start)?.[1] ?? '';
}
