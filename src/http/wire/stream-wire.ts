/** A wire over any Duplex; what only a `net.Socket` can do, it does where it has one. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { contextsStay } from '../context.ts';
import { giveAwayScratch, putTogether } from './buffers.ts';
import type { Wire, WireEvents } from './wire.ts';

export class StreamWire implements Wire {
  private readonly stream: Duplex;

  constructor(stream: Duplex, events: WireEvents) {
    this.stream = stream;
    stream.on('data', (bytes: Buffer) => events.takeBytes(bytes, bytes.length));
    stream.on('end', () => events.takeEnd());
    stream.on('drain', () => events.takeDrain());
    stream.on('close', () => events.takeClose());
    stream.on('error', () => {});
    stream.resume();
  }

  get isMarked(): boolean {
    return contextsStay;
  }

  get pendingBytes(): number {
    return this.stream.writableLength;
  }

  get isDestroyed(): boolean {
    return this.stream.destroyed;
  }

  get isPaused(): boolean {
    return this.stream.isPaused();
  }

  write(text: string): boolean {
    return this.stream.write(text, 'latin1');
  }

  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean {
    const { stream } = this;
    const isWaiting = stream.writableLength > 0;
    const whole = putTogether(head, bytes, tail, isWaiting);
    if (whole !== undefined) {
      const isTaking = stream.write(whole);
      if (stream.writableLength > 0) giveAwayScratch(whole);
      return isTaking;
    }
    stream.cork();
    if (head !== '') stream.write(Buffer.from(head, 'latin1'));
    const isTaking = stream.write(bytes);
    if (tail !== '') stream.write(tail, 'latin1');
    stream.uncork();
    return isTaking && !stream.writableNeedDrain;
  }

  whenOut(done: () => void): void {
    const { stream } = this;
    if (stream.writableLength === 0 || stream.destroyed) return done();
    const tell = () => {
      stream.off('drain', tell).off('close', tell);
      done();
    };
    stream.on('drain', tell).on('close', tell);
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
    // A Socket that is cut then would neither reset nor close.
    const isShuttingDown = stream.writableEnded && !stream.writableFinished && stream.writableLength === 0;
    if (stream instanceof Socket && stream.remoteAddress !== undefined && !isShuttingDown) stream.resetAndDestroy();
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
