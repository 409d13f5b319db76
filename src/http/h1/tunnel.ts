/** A connection after an upgrade (RFC 9110 §7.8): its bytes belong to another protocol, and pass through unread. */

import type { Bytes, Exchange, Tunnel } from '../exchange.ts';
import type { Wire } from '../wire/wire.ts';

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
