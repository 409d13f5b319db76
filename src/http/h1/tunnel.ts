/** A connection after an upgrade (RFC 9110 §7.8): its bytes belong to another protocol, and pass through unread. */

import type { Bytes, Exchange, Tunnel } from '../exchange.ts';
import type { Wire } from '../wire/wire.ts';
import type { Ending } from './ending.ts';

export class WireTunnel implements Tunnel {
  private readonly wire: Wire;
  private readonly exchange: Exchange;
  private readonly onWritten: (bytes: number) => void;

  constructor(wire: Wire, exchange: Exchange, onWritten: (bytes: number) => void) {
    this.wire = wire;
    this.exchange = exchange;
    this.onWritten = onWritten;
  }

  write(bytes: Bytes): boolean {
    this.onWritten(bytes.byteLength);
    if (this.exchange.sentBytes === 0) this.exchange.status ||= statusIn(bytes);
    this.exchange.sentBytes += bytes.byteLength;
    return this.wire.writeTogether('', bytes, '');
  }

  pause(): void {
    this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }

  end(): void {
    this.wire.end();
  }

  destroy(): void {
    this.wire.destroy();
  }

  cut(): void {
    this.wire.cut();
  }
}

/** The connection of a broken request that the app answers by itself. What it writes must reach the client. */
export class BrokenTunnel extends WireTunnel {
  private readonly ending: Ending;
  private readonly answered: Exchange;

  constructor(wire: Wire, exchange: Exchange, onWritten: (bytes: number) => void, ending: Ending) {
    super(wire, exchange, onWritten);
    this.answered = exchange;
    this.ending = ending;
  }

  override end(): void {
    this.ending.close();
  }

  /** Closing a socket with unread bytes sends a reset, which can overtake the answer. */
  override destroy(): void {
    if (this.answered.sentBytes === 0) super.destroy();
    else this.ending.close();
  }
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)[ \r]/;

/** Of the answer that the app writes itself, ahead of the other protocol; empty where it is none. */
function statusIn(bytes: Bytes): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('latin1');
  return statusLine.exec(start)?.[1] ?? '';
}
