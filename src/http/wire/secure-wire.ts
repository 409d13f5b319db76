/**
 * A TLS connection without Node's streams: the handle under the `TLSSocket` is read and written like a socket's own. The
 * `TLSSocket` is kept for what a handle cannot do: it closes the connection, and reports errors of TLS.
 */

import type { TLSSocket } from 'node:tls';
import type { RawHandle, WriteRequest } from '../../node/stream-binding.ts';
import { type CarryingHandle, type SecureHandle, secureHandleOf } from '../../node/tls-handle.ts';
import { HandleWire } from './handle-wire.ts';
import { StreamWire } from './stream-wire.ts';
import { canceled, type Taken, tellTaken, writeError } from './taken.ts';
import type { Wire, WireEvents } from './wire.ts';
import { canUseHandles, takeRequest } from './write-requests.ts';

/** All of a write is encrypted in one step. A larger one would block the event loop, and take twice its memory. */
const mostAtOnce = 256 * 1024;

/** Begins to read, when the handshake is over. */
export function openSecure(socket: TLSSocket, events: WireEvents): Wire {
  const found = canUseHandles && socket.readableLength === 0 ? secureHandleOf(socket) : undefined;
  return found === undefined ? new StreamWire(socket, events) : new SecureWire(socket, found, events);
}

export class SecureWire extends HandleWire {
  private readonly socket: TLSSocket;
  private readonly carrier: CarryingHandle;
  /** A handle of TLS takes one write at a time: these wait for its end, and go together. */
  private readonly queue: Uint8Array[] = [];
  private queueBytes = 0;
  /** How many writes were ever in the queue, and how many have left it. */
  private queuedSoFar = 0;
  private leftSoFar = 0;
  /** Callbacks that wait for the writes that were in the queue at that time. */
  private readonly queueTaken: { readonly at: number; readonly callback: Taken }[] = [];

  constructor(socket: TLSSocket, { handle, carrier }: SecureHandle, events: WireEvents) {
    super(handle, events, false);
    this.socket = socket;
    this.carrier = carrier;
    socket.on('error', (error) => {
      if (!this.isDestroyed) events.takeFailure?.(error);
    });
    socket.once('close', () => {
      if (!this.isDestroyed) this.release();
      this.tellClosed();
    });
    // Node reads already; a second start would fail.
    handle.readStop();
    this.startReading();
  }

  override write(text: string): boolean {
    if (this.last === undefined && text !== '') return super.write(text);
    return this.mayWrite ? this.wait([Buffer.from(text, 'latin1')]) : this.refuse();
  }

  /** The scratch buffer stays in use: what TLS does not encrypt at once, it copies. */
  protected override writeWhole(whole: Buffer): boolean {
    if (this.last !== undefined || whole.length === 0) return this.wait([whole]);
    return this.writeOne(whole);
  }

  private writeOne(bytes: Uint8Array): boolean {
    const request = takeRequest();
    return this.note(request, this.handle.writeBuffer(request, bytes), bytes);
  }

  protected override writeChunks(chunks: readonly Uint8Array[]): boolean {
    const isTaking = this.wait(chunks);
    if (this.last !== undefined) return isTaking;
    this.writeQueue();
    return isTaking && !this.isDestroyed;
  }

  private wait(chunks: readonly Uint8Array[]): boolean {
    let length = 0;
    for (const chunk of chunks) {
      length += chunk.byteLength;
      for (let at = 0; at < chunk.byteLength; at += mostAtOnce) this.queue.push(chunk.subarray(at, at + mostAtOnce));
    }
    this.queueBytes += length;
    this.queuedSoFar += length;
    return this.noteWaiting(length);
  }

  override takeWritten(request: WriteRequest, status: number): void {
    super.takeWritten(request, status);
    if (this.queueBytes > 0 && this.last === undefined && !this.isDestroyed) this.writeQueue();
  }

  private writeQueue(): void {
    const { queue, queueTaken } = this;
    let count = 0;
    let length = 0;
    while (count < queue.length && (count === 0 || length + queue[count]!.byteLength <= mostAtOnce))
      length += queue[count++]!.byteLength;
    const chunks = queue.splice(0, count);
    this.queueBytes -= length;
    this.leftSoFar += length;
    // The write counts these bytes again.
    this.noteGone(length);
    if (count === 1) this.writeOne(chunks[0]!);
    else super.writeChunks(chunks);
    while (queueTaken.length > 0 && queueTaken[0]!.at <= this.leftSoFar) super.whenTaken(queueTaken.shift()!.callback);
  }

  override whenTaken(callback: Taken): void {
    if (this.queueBytes > 0) this.queueTaken.push({ at: this.queuedSoFar, callback });
    else super.whenTaken(callback);
  }

  override destroy(): void {
    if (this.isDestroyed) return;
    this.release();
    this.socket.destroy();
  }

  /** TLS has no reset: an end without its `close_notify` tells a client that what it has is not all (RFC 8446 §6.1). */
  override cut(): void {
    this.destroy();
  }

  protected override release(): RawHandle {
    const waiting = this.queueTaken.splice(0).map(({ callback }) => callback);
    tellTaken(waiting, writeError(canceled));
    this.queue.length = 0;
    this.queueBytes = 0;
    return super.release();
  }

  override get untakenBytes(): number {
    return this.pendingBytes;
  }

  override get takenBytes(): number {
    return this.carrier.bytesWritten - this.carrier.writeQueueSize;
  }
}
