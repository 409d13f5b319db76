/**
 * Upgraded connections (RFC 9110 §7.8) that an app in this thread has taken over. The main thread keeps the connections, and
 * each piece travels as a message. So they work over TLS and unix sockets too, and end as in other classes.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Bytes, Tunnel, TunnelEvents } from '../../../http/exchange.ts';
import { creditBytes, type ForTunnel, tunnelBytes } from '../messages.ts';
import type { Outlet } from './outlet.ts';

/** How soon an app that was in the middle of a message is asked again. */
const askAgainMs = 50;

export class Tunnels {
  private readonly outlet: Outlet;
  private readonly open = new Map<number, ThreadTunnel>();

  constructor(outlet: Outlet) {
    this.outlet = outlet;
  }

  /** @param onGone is called when the connection has ended */
  begin(id: number, events: TunnelEvents, onGone: () => void): Tunnel {
    const tunnel = new ThreadTunnel(id, this.outlet, events, () => {
      this.open.delete(id);
      onGone();
    });
    this.open.set(id, tunnel);
    return tunnel;
  }

  hear(message: ForTunnel): void {
    this.open.get(message[1])?.hear(message);
  }
}

class ThreadTunnel implements Tunnel {
  private readonly id: number;
  private readonly outlet: Outlet;
  private readonly events: TunnelEvents;
  private readonly onGone: () => void;
  /** Bytes sent that the client has not taken yet. */
  private untaken = 0;
  private isStalled = false;
  /** Bytes that have come, for which no credit was granted yet. */
  private uncredited = 0;
  private isPaused = false;
  private farewell: NodeJS.Timeout | undefined = undefined;

  constructor(id: number, outlet: Outlet, events: TunnelEvents, onGone: () => void) {
    this.id = id;
    this.outlet = outlet;
    this.events = events;
    this.onGone = onGone;
  }

  write(bytes: Bytes): boolean {
    this.untaken += bytes.byteLength;
    this.outlet.postOfTunnel(['tunnelBytes', this.id, new Uint8Array(bytes)]);
    this.isStalled = this.untaken >= tunnelBytes;
    return !this.isStalled;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.grantCredit();
  }

  end(): void {
    this.outlet.postOfTunnel(['tunnelEnd', this.id, 'end']);
  }

  destroy(): void {
    this.outlet.postOfTunnel(['tunnelEnd', this.id, 'destroy']);
  }

  cut(): void {
    this.outlet.postOfTunnel(['tunnelEnd', this.id, 'cut']);
  }

  hear(message: ForTunnel): void {
    switch (message[0]) {
      case 'tunnelBytes':
        return this.takeBytes(message[2]);
      case 'tunnelTaken':
        return this.noteTaken(message[2]);
      case 'tunnelEnd':
        return this.events.takeEnd();
      case 'tunnelFarewell':
        return this.sayFarewell();
      case 'tunnelGone':
        clearTimeout(this.farewell);
        this.onGone();
    }
  }

  private takeBytes(bytes: Uint8Array): void {
    this.uncredited += bytes.byteLength;
    this.events.takeBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.grantCredit();
  }

  private noteTaken(bytes: number): void {
    this.untaken -= bytes;
    if (!this.isStalled || this.untaken >= tunnelBytes) return;
    this.isStalled = false;
    this.events.takeDrain();
  }

  private sayFarewell(): void {
    if (!this.events.takeFarewell()) this.farewell = setTimeout(() => this.sayFarewell(), askAgainMs).unref();
  }

  /** Grants credit for what the app has taken, in steps. */
  private grantCredit(): void {
    if (this.isPaused || this.uncredited < creditBytes) return;
    this.outlet.postOfTunnel(['tunnelTaken', this.id, this.uncredited]);
    this.uncredited = 0;
  }
}
