/**
 * An upgraded or a raw connection in the main thread, on its way to an app in a thread (`inside/tunnels.ts`) and back.
 */

import type { Attachment, Bytes, Exchange, Tunnel, TunnelEvents } from '../../http/exchange.ts';
import { creditBytes, type FromTunnel, tunnelBytes } from './messages.ts';
import type { Recipient } from './relay.ts';

export class ThreadEnd implements TunnelEvents, Attachment {
  private readonly thread: Recipient;
  private readonly id: number;
  private readonly onGone: () => void;
  private tunnel: Tunnel | undefined = undefined;
  /** Bytes that may still be sent before the app has taken more. */
  private window = tunnelBytes;
  private isPaused = false;
  /** Bytes that were written, for which no credit was granted yet. */
  private uncredited = 0;
  private isTaking = true;

  constructor(thread: Recipient, id: number, onGone: () => void) {
    this.thread = thread;
    this.id = id;
    this.onGone = onGone;
  }

  /** The app has the connection from now on; HTTP on it has ended. */
  begin(exchange: Exchange): void {
    const { tunnel, rest } = exchange.transport.takeOver!(exchange, this);
    this.attach(tunnel);
    exchange.transport.attachment = this;
    if (rest.length > 0) this.takeBytes(rest);
  }

  attach(tunnel: Tunnel): void {
    this.tunnel = tunnel;
  }

  // From the connection.

  takeBytes(bytes: Buffer): void {
    const copy = new Uint8Array(bytes);
    this.window -= copy.byteLength;
    this.thread.send(['tunnelBytes', this.id, copy], copy.buffer);
    if (this.window > 0 || this.isPaused) return;
    this.isPaused = true;
    this.tunnel?.pause();
  }

  takeEnd(): void {
    this.thread.send(['tunnelEnd', this.id]);
  }

  takeDrain(): void {
    this.isTaking = true;
    this.grantCredit();
  }

  /** The thread asks its app, repeatedly if necessary. */
  takeFarewell(): boolean {
    this.thread.send(['tunnelFarewell', this.id]);
    return true;
  }

  takeClose(): void {
    this.onGone();
    this.thread.send(['tunnelGone', this.id]);
  }

  // From the thread.

  hear(message: FromTunnel): void {
    switch (message[0]) {
      case 'tunnelBytes':
        return this.write(message[2]);
      case 'tunnelTaken':
        return this.noteTaken(message[2]);
      case 'tunnelEnd':
        return this.tunnel?.[message[2]]();
    }
  }

  /** Its thread has ended. */
  cut(): void {
    this.tunnel?.cut();
  }

  private write(bytes: Bytes): void {
    this.uncredited += bytes.byteLength;
    this.isTaking = this.tunnel?.write(bytes) ?? true;
    this.grantCredit();
  }

  private noteTaken(bytes: number): void {
    this.window += bytes;
    if (!this.isPaused || this.window <= 0) return;
    this.isPaused = false;
    this.tunnel?.resume();
  }

  private grantCredit(): void {
    if (!this.isTaking || this.uncredited < creditBytes) return;
    this.thread.send(['tunnelTaken', this.id, this.uncredited]);
    this.uncredited = 0;
  }
}
