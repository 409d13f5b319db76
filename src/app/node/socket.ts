/**
 * A client's socket as a Node handler sees it: one per connection, as in `node:http`. Until an upgrade it carries no bytes
 * itself, because those belong to the requests. After it, it is the connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
// Not the globals, which an app may replace.
import { clearTimeout } from 'node:timers';
import type { Exchange, Transport, Tunnel, TunnelEvents } from '../../http/exchange.ts';
import type { NodeServer } from '../detect.ts';
import { clientError, codeOf } from './client-error.ts';
import { family, standAsNetSocket } from './net-socket.ts';
import { secureSocket } from './secure-socket.ts';
import { endOwnAnswer, own, type SocketState, startOf } from './socket-state.ts';
import { limitSilence } from './socket-timeout.ts';

const hangUp = Symbol('tsgun.hangUp');

export class ClientSocket extends Duplex implements TunnelEvents {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string;
  readonly localPort: number;
  readonly localFamily: string;
  readonly connecting = false;
  readonly pending = false;
  timeout = 0;
  /** Node's own name: the response that is being served. */
  _httpMessage: ServerResponse | null = null;
  /** Node's own name: the client left before the end of an answer, so Node emits no `finish` for it. */
  _hadError = false;
  /** The `http.Server` that `node:http` would name. */
  readonly server: NodeServer;
  readonly [own]: SocketState;

  constructor(transport: Transport, server: NodeServer, takeOver?: (socket: ClientSocket) => Exchange | undefined) {
    const { highWaterMark } = server as { highWaterMark?: number };
    // `close` says whether there was an error, as a net.Socket's does.
    super({ allowHalfOpen: true, emitClose: false, highWaterMark });
    this[own] = startOf(transport, takeOver && (() => takeOver(this)));
    this.server = server;
    const { local, remote } = transport.ends;
    const isUnix = remote.address === '';
    this.remoteAddress = isUnix ? undefined : remote.address;
    this.remotePort = isUnix ? undefined : Number(remote.port);
    this.remoteFamily = isUnix ? undefined : family(remote.address);
    this.localAddress = local.address;
    this.localPort = Number(local.port);
    this.localFamily = family(local.address);
    if (transport.ends.tls !== undefined) secureSocket(this, transport.ends.tls, transport.isHttp2 === true);
    // As node:http does: one of the app's own making, as there is no other.
    this.on('error', (error) => {
      if (this[own].tunnel === undefined && !server.emit('clientError', error, this)) this.destroy();
    });
  }

  /** In HTTP/2: serves another stream of the same client. @returns whether it can */
  moveTo(transport: Transport): boolean {
    if (this.destroyed || !this.writable || this._hadError || this[own].transport === undefined) return false;
    this[own].transport = transport;
    this[own].unsent = 0;
    return true;
  }

  /** Of the whole connection, as on a net.Socket; 0 in a thread, which does not know it. */
  get bytesRead(): number {
    return this[own].counted?.read ?? this[own].transport?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this[own].counted?.written ?? this[own].transport?.bytesWritten ?? 0;
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  /** @returns how many requests the connection has brought */
  countRequest(): number {
    return ++this[own].requests;
  }

  /** A request has come whose body is still to come. */
  noteRequest(request: IncomingMessage): void {
    this[own].request = request;
  }

  /** The body has come. An idle connection must not keep what the app has put on its last request. */
  forgetRequest(request: IncomingMessage): void {
    if (this[own].request === request) this[own].request = undefined;
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

  /**
   * Calls back after `ms` without traffic; 0: never. Until an upgrade, the connection ends then, unless the request, the
   * response or the server has a listener: one on the socket itself does not count.
   */
  setTimeout(ms: number, callback?: () => void): this {
    limitSilence(this, ms, callback);
    return this;
  }

  /** There was traffic. */
  noteActivity(): void {
    this[own].timer?.refresh();
  }

  /** This many bytes of the current answer are written, but held back until more follows. */
  noteUnsent(length: number): void {
    this[own].unsent = length;
  }

  /** Bytes of answers that the client has not taken. */
  get untaken(): number {
    const { transport, tunnel, unsent } = this[own];
    return tunnel === undefined && !this._hadError ? unsent + (transport?.pendingBytes ?? 0) : 0;
  }

  override setEncoding(encoding: BufferEncoding): this {
    if (this[own].tunnel !== undefined) return super.setEncoding(encoding);
    const text = 'Changing the socket encoding is not allowed per RFC7230 Section 3.';
    throw Object.assign(new Error(text), { code: 'ERR_HTTP_SOCKET_ENCODING' });
  }

  // Responses do not write through here, so there is nothing to cork.
  override cork(): void {
    if (this[own].tunnel !== undefined) super.cork();
  }

  override uncork(): void {
    if (this[own].tunnel !== undefined) super.uncork();
  }

  // After an upgrade.

  /** Becomes the connection itself. @param farewell written to the client if the server ends before the connection does */
  attach(tunnel: Tunnel, farewell: Buffer | undefined): void {
    this[own].farewell = farewell;
    this.setTimeout(0);
    this._httpMessage = null;
    this[own].request = undefined;
    // Each end of an answer sets 1 here, and relies on Node's `uncork`.
    (this as unknown as { _writableState: { corked: number } })._writableState.corked = 0;
    this[own].tunnel = tunnel;
  }

  takeBytes(bytes: Buffer): void {
    this.noteActivity();
    if (!this.push(bytes)) this[own].tunnel?.pause();
  }

  /** As in `node:http`: `end` is emitted even if nobody reads, and before an upgrade nothing can be written any more. */
  takeEnd(): void {
    this.push(null);
    this.read(0);
    if (this[own].tunnel !== undefined) return;
    this[own].isDeparting = true;
    this.end();
  }

  /** The server's FIN is out. As in `node:http`, a socket that the server ends does not wait for its client's end. */
  takeFinish(): void {
    const { finish, tunnel } = this[own];
    this[own].finish = undefined;
    if (finish !== undefined) return finish();
    if (tunnel !== undefined || this.writableEnded || (this._httpMessage !== null && !this._hadError)) return;
    this.release();
    this.destroy();
  }

  takeFarewell(): boolean {
    const { farewell, tunnel } = this[own];
    if (farewell === undefined || tunnel === undefined || !this.writable) return true;
    // Before the handshake is answered, the client would not understand it; and bytes that wait may be the rest of a message.
    if (!this[own].hasSpoken || this.writableLength > 0) return false;
    this[own].farewell = undefined;
    tunnel.write(farewell);
    return true;
  }

  takeDrain(): void {
    const { written } = this[own];
    this[own].written = undefined;
    written?.();
  }

  takeFailure(error: Error): void {
    const code = codeOf(error);
    // A listener answers an incomplete request.
    if (code !== undefined && this.server.listenerCount('clientError') > 0) return;
    this.release();
    this[own].hasFailed = true;
    if (code === undefined) return void this.destroy(error);
    this.prependOnceListener('end', () => this.destroy(clientError(error, code)));
    this.push(null);
    this.read(0);
  }

  /** The connection is gone. */
  takeClose(): void {
    this.release();
    this[own].isDeparting = false;
    this.destroy();
    endOwnAnswer(this[own].answered);
    this[own].close?.();
    this[own].close = undefined;
  }

  override _read(): void {
    this[own].tunnel?.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this[own].tunnel === undefined) this[own].answered = this[own].takeOver?.();
    const { tunnel } = this[own];
    if (tunnel === undefined)
      return done(new Error('a response that has begun is written to `res`; its socket belongs to the server'));
    this[own].hasSpoken = true;
    this.noteActivity();
    if (tunnel.write(bytes)) done();
    else this[own].written = done;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  resetAndDestroy(): this {
    const { tunnel } = this[own];
    // A complete answer still goes out.
    if (tunnel !== undefined || this._httpMessage?.writableEnded === false) {
      const transport = this.release();
      (tunnel ?? transport)?.cut();
    }
    return this.destroy();
  }

  override _final(done: (error?: Error | null) => void): void {
    const { tunnel, isDeparting } = this[own];
    if (tunnel === undefined && isDeparting) {
      this[own].finish = done;
      return;
    }
    if (tunnel !== undefined) tunnel.end();
    else this[hangUp]();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this[own].timer);
    const { tunnel, isDeparting, hasFailed } = this[own];
    if (tunnel !== undefined) tunnel.destroy();
    else if (!isDeparting || !this.writableFinished) this[hangUp]();
    this.takeDrain();
    done(error);
    const close = () => this.emit('close', error !== null);
    // Request and response are closed first.
    if (tunnel === undefined && (isDeparting || hasFailed)) this[own].close = close;
    else process.nextTick(close);
  }

  /** Ends the connection; cuts it if a request is running. */
  private [hangUp](): void {
    this.release()?.hangUp();
  }

  /** The counts are kept, because apps read them after the end, too. */
  private release(): Transport | undefined {
    const { transport } = this[own];
    this[own].counted = { read: this.bytesRead, written: this.bytesWritten };
    this[own].transport = undefined;
    return transport;
  }
}

standAsNetSocket(ClientSocket.prototype, {
  corked: (socket, corked) => (socket[own].tunnel === undefined ? 0 : corked),
  untaken: (socket) => socket.untaken,
});
