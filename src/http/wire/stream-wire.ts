/** A wire over any Duplex. With a `net.Socket`, it does what only that can do. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asyncIdOf } from '../../node/handles.ts';
import { contextsStay } from '../context.ts';
import { giveAwayScratch, putTogether } from './buffers.ts';
import { canceled, type Taken, tellTaken, writeError } from './taken.ts';
import type { Wire, WireEvents } from './wire.ts';

export class StreamWire implements Wire {
  private readonly stream: Duplex;
  private readonly events: WireEvents;
  private written = 0;
  /** How many writes are done. */
  private done = 0;
  private failure: Error | undefined = undefined;
  private readonly waiting: { readonly written: number; readonly callback: Taken }[] = [];

  constructor(stream: Duplex, events: WireEvents) {
    this.stream = stream;
    this.events = events;
    stream.on('data', (bytes: Buffer) => events.takeBytes(bytes, bytes.length));
    stream.on('end', () => events.takeEnd());
    stream.on('drain', () => events.takeDrain());
    stream.on('close', () => {
      events.share?.close();
      events.takeClose();
    });
    stream.on('error', (error) => events.takeFailure?.(error));
    stream.resume();
  }

  get asyncId(): number | undefined {
    return asyncIdOf(this.stream);
  }

  get bytesRead(): number {
    return (this.stream as Partial<Socket>).bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return (this.stream as Partial<Socket>).bytesWritten ?? 0;
  }

  get isMarked(): boolean {
    return contextsStay;
  }

  get pendingBytes(): number {
    const { writableLength } = this.stream;
    return this.failure === undefined ? writableLength : Math.max(writableLength, 1);
  }

  get isDestroyed(): boolean {
    return this.stream.destroyed;
  }

  get isPaused(): boolean {
    return this.stream.isPaused();
  }

  write(text: string): boolean {
    this.written++;
    const isTaking = this.stream.write(text, 'latin1', this.takeWritten);
    this.enter();
    return isTaking;
  }

  private readonly enter = (): void => {
    this.events.share?.set(this.stream.writableLength);
  };

  private readonly takeWritten = (error?: Error | null): void => {
    this.done++;
    this.enter();
    // Before Node 22, a write that was under way when its socket was destroyed does not say that it failed.
    const failure = error ?? (this.stream.destroyed ? writeError(canceled) : undefined);
    this.failure ??= failure;
    // At once: the stream has emitted `drain`, and callbacks of later writes must not come first.
    while (this.waiting.length > 0 && this.waiting[0]!.written <= this.done) this.waiting.shift()!.callback(failure);
  };

  whenTaken(callback: Taken): void {
    const { written } = this;
    if (this.done < written) this.waiting.push({ written, callback });
    else tellTaken([callback], this.failure);
  }

  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean {
    const { stream } = this;
    const isWaiting = stream.writableLength > 0;
    const whole = putTogether(head, bytes, tail, isWaiting);
    if (whole !== undefined) {
      this.written++;
      const isTaking = stream.write(whole, this.takeWritten);
      this.enter();
      if (stream.writableLength > 0) giveAwayScratch(whole);
      return isTaking;
    }
    // Before anything is written: the stream would refuse it behind the head.
    if (!ArrayBuffer.isView(bytes)) throw new TypeError('a body piece must be a Uint8Array');
    stream.cork();
    if (head !== '') stream.write(Buffer.from(head, 'latin1'), this.enter);
    this.written++;
    const isTaking = stream.write(bytes, tail === '' ? this.takeWritten : this.enter);
    if (tail !== '') stream.write(tail, 'latin1', this.takeWritten);
    stream.uncork();
    this.enter();
    return isTaking && !stream.writableNeedDrain;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  end(done?: () => void): void {
    this.stream.end(done);
  }

  destroy(): void {
    this.stream.destroy();
  }

  cut(): void {
    const { stream } = this;
    // TLS has no reset: without its `close_notify`, a client knows that what it has is not all (RFC 8446 §6.1).
    // A Socket that is cut then would neither reset nor close.
    const isShuttingDown = stream.writableEnded && !stream.writableFinished && stream.writableLength === 0;
    const canReset = stream instanceof Socket && !('encrypted' in stream) && stream.remoteAddress !== undefined;
    if (canReset && !isShuttingDown) stream.resetAndDestroy();
    else stream.destroy();
  }

  watchStall(ms: number, onStall?: () => void): void {
    const { stream } = this;
    if (!(stream instanceof Socket)) return;
    stream.removeAllListeners('timeout');
    stream.setTimeout(ms, () => {
      if (stream.writableLength > 0) onStall?.();
    });
  }
}
