/**
 * What a Node handler sees as its client's socket: one per connection, as in `node:http`. Until an upgrade it carries no
 * bytes itself, as those belong to the requests; from then on it is the connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { Duplex } from 'node:stream';
import type { Carrier, Tunnel, TunnelEvents } from '../http/exchange.ts';

export class ClientSocket extends Duplex implements TunnelEvents {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string;
  readonly localPort: number;
  readonly localFamily: string;
  readonly connecting = false;
  readonly pending = false;
  bytesRead = 0;
  bytesWritten = 0;
  timeout = 0;
  /** Named as Node names them: what is served here now. */
  _httpMessage: ServerResponse | null = null;
  request: IncomingMessage | undefined = undefined;
  /** The `http.Server` in whose name it is served. */
  server: object | undefined = undefined;
  /** How to end the connection while it serves requests. */
  onEnd: (() => void) | undefined = undefined;
  private farewell: Buffer | undefined = undefined;
  private tunnel: Tunnel | undefined = undefined;
  private written: ((error?: Error | null) => void) | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor({ localAddress, localPort, remoteAddress, remotePort }: Carrier) {
    super({ allowHalfOpen: true, emitClose: true });
    const isUnix = remoteAddress === '';
    this.remoteAddress = isUnix ? undefined : remoteAddress;
    this.remotePort = isUnix ? undefined : Number(remotePort);
    this.remoteFamily = isUnix ? undefined : family(remoteAddress);
    this.localAddress = localAddress;
    this.localPort = Number(localPort);
    this.localFamily = family(localAddress);
    // As on a net.Socket of node:http, which nobody listens to either.
    this.on('error', () => {});
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  address(): { address: string; family: string; port: number } {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Calls back after `ms` in which nothing was heard or said; if nobody listens then, the connection ends. 0: never. */
  setTimeout(ms: number, callback?: () => void): this {
    clearTimeout(this.timer);
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.off('timeout', callback);
      else this.once('timeout', callback);
    }
    this.timer = ms > 0 ? setTimeout(() => this.expire(), ms).unref() : undefined;
    return this;
  }

  /** Something was heard or said. */
  noteActivity(): void {
    this.timer?.refresh();
  }

  private expire(): void {
    const { request, _httpMessage: response } = this;
    const isRequestTold = request !== undefined && !request.complete && request.emit('timeout', this);
    const isResponseTold = response?.emit('timeout', this) ?? false;
    const isTold = this.emit('timeout', this);
    if (!isRequestTold && !isResponseTold && !isTold) this.destroy();
  }

  // The writes of responses do not come through here: there is nothing to hold together.

  override cork(): void {
    if (this.tunnel !== undefined) super.cork();
  }

  override uncork(): void {
    if (this.tunnel !== undefined) super.uncork();
  }

  // After an upgrade.

  /**
   * Becomes the connection itself.
   * @param farewell what is written if the process ends before the connection does
   */
  attach(tunnel: Tunnel, farewell: Buffer | undefined): void {
    this.farewell = farewell;
    this.setTimeout(0);
    this._httpMessage = null;
    this.request = undefined;
    this.tunnel = tunnel;
  }

  takeBytes(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.noteActivity();
    if (!this.push(bytes)) this.tunnel?.pause();
  }

  takeEnd(): void {
    this.push(null);
  }

  takeFarewell(): void {
    // Before the handshake was answered, nobody would understand it.
    if (this.farewell !== undefined && this.bytesWritten > 0 && this.writable) this.tunnel?.write(this.farewell);
  }

  takeDrain(): void {
    const { written } = this;
    this.written = undefined;
    written?.();
  }

  /** The connection is gone. */
  takeClose(): void {
    this.onEnd = undefined;
    this.destroy();
  }

  override _read(): void {
    this.tunnel?.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.tunnel === undefined)
      return done(new Error('a response is written to `res`: its socket belongs to the server until an upgrade'));
    this.bytesWritten += bytes.length;
    this.noteActivity();
    if (this.tunnel.write(bytes)) done();
    else this.written = done;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.tunnel !== undefined) this.tunnel.end();
    else this.hangUp();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.timer);
    if (this.tunnel !== undefined) this.tunnel.destroy();
    else this.hangUp();
    this.takeDrain();
    done(error);
  }

  private hangUp(): void {
    const { onEnd } = this;
    this.onEnd = undefined;
    onEnd?.();
  }
}

function family(address: string): string {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}
