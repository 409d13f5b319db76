/** A connection after an upgrade (RFC 9110 §7.8): its bytes belong to another protocol, and pass through unread. */

import type { Bytes, Tunnel } from '../exchange.ts';
import type { Wire } from '../wire/wire.ts';

export class WireTunnel implements Tunnel {
  private readonly wire: Wire;
  private readonly onWritten: () => void;

  constructor(wire: Wire, onWritten: () => void) {
    this.wire = wire;
    this.onWritten = onWritten;
  }

  write(bytes: Bytes): boolean {
    this.onWritten();
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
}
