/** What a tcp app in a thread has for its connection: a `net.Socket` whose bytes come and go through the main thread. */

import { isIPv6, Socket } from 'node:net';
import type { Ends } from '../../../http/ends.ts';
import type { Tunnel, TunnelEvents } from '../../../http/tunnel.ts';

export class ThreadSocket extends Socket implements TunnelEvents {
  private tunnel: Tunnel | undefined = undefined;
  private written: ((error?: Error | null) => void) | undefined = undefined;
  private counts = { received: 0, sent: 0 };

  constructor({ local, remote }: Pick<Ends, 'local' | 'remote'>) {
    super({ allowHalfOpen: true });
    const told = { ...named('local', local), ...named('remote', remote), pending: false };
    // Node's own getters ask a handle, which there is not.
    for (const [name, value] of Object.entries(told)) Object.defineProperty(this, name, { value, configurable: true });
    Object.defineProperty(this, 'bytesRead', { get: () => this.counts.received, configurable: true });
    Object.defineProperty(this, 'bytesWritten', {
      get: () => this.counts.sent + this.writableLength,
      configurable: true,
    });
    Object.defineProperty(this, '_writev', { value: null, writable: true, configurable: true });
  }

  attach(tunnel: Tunnel): void {
    this.tunnel = tunnel;
  }

  override _read(): void {
    this.tunnel?.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.noteActivity();
    this.counts.sent += bytes.length;
    if (this.tunnel?.write(bytes) !== false) done();
    else this.written = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.tunnel?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.tunnel?.destroy();
    this.takeDrain();
    super._destroy(error, (failure) => done(failure ?? null));
  }

  override resetAndDestroy(): this {
    this.tunnel?.cut();
    return this.destroy();
  }

  // From the main thread.

  takeBytes(bytes: Buffer): void {
    this.noteActivity();
    this.counts.received += bytes.length;
    if (!this.push(bytes)) this.tunnel?.pause();
  }

  takeEnd(): void {
    this.push(null);
    if (this.readableLength === 0) this.read(0);
  }

  takeDrain(): void {
    const { written } = this;
    this.written = undefined;
    written?.();
  }

  /** Its server tells the app. */
  takeFarewell(): boolean {
    return true;
  }

  /** The connection has ended. */
  takeClose(): void {
    this.tunnel = undefined;
    this.destroy();
  }

  private noteActivity(): void {
    if (this.timeout) this.setTimeout(this.timeout);
  }
}

function named(which: 'local' | 'remote', { address, port }: Ends['local']) {
  if (address === '') return {};
  return {
    [`${which}Address`]: address,
    [`${which}Port`]: Number(port),
    [`${which}Family`]: isIPv6(address) ? 'IPv6' : 'IPv4',
  };
}
