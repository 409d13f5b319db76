/**
 * A wire whose stream is not known yet: the connection is in its TLS handshake, or its protocol is not known. Until then
 * there is nothing to read, and what is written is dropped.
 */

import type { Socket } from 'node:net';
import { contextsStay } from '../context.ts';
import { canceled, type Taken, tellTaken, writeError } from './taken.ts';
import type { Wire, WireEvents } from './wire.ts';

export class DeferredWire implements Wire {
  onAttached: (() => void) | undefined = undefined;
  private readonly raw: Socket;
  private readonly events: WireEvents;
  private inner: Wire | undefined = undefined;
  private isHeld = false;
  private isGivenAway = false;

  constructor(raw: Socket, events: WireEvents) {
    this.raw = raw;
    this.events = events;
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.inner === undefined && !this.isGivenAway) events.takeClose();
    });
  }

  /**
   * The handshake is over, or the protocol is known.
   * @param open makes the wire over the stream
   */
  attach(stream: Socket, open: (events: WireEvents) => Wire): void {
    if (this.raw.destroyed) return void stream.destroy();
    this.inner = open(this.events);
    if (this.isHeld) this.inner.pause();
    this.onAttached?.();
  }

  /** Another object reads and writes from now on, and hears of the end. */
  giveAway(to: () => void): void {
    this.isGivenAway = true;
    this.onAttached?.();
    to();
  }

  get isMarked(): boolean {
    return this.inner?.isMarked ?? contextsStay;
  }

  get asyncId(): number | undefined {
    return this.inner?.asyncId;
  }

  get pendingBytes(): number {
    return this.inner?.pendingBytes ?? 0;
  }

  get bytesRead(): number {
    return this.inner?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.inner?.bytesWritten ?? 0;
  }

  get isPaused(): boolean {
    return this.inner?.isPaused ?? this.isHeld;
  }

  get isDestroyed(): boolean {
    return this.inner?.isDestroyed ?? this.raw.destroyed;
  }

  write(text: string): boolean {
    return this.inner?.write(text) ?? true;
  }

  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean {
    return this.inner?.writeTogether(head, bytes, tail) ?? true;
  }

  whenTaken(callback: Taken): void {
    if (this.inner === undefined) tellTaken([callback], writeError(canceled));
    else this.inner.whenTaken(callback);
  }

  pause(): void {
    this.isHeld = true;
    this.inner?.pause();
  }

  resume(): void {
    this.isHeld = false;
    this.inner?.resume();
  }

  /** A client that has sent nothing has no request to lose. */
  end(done?: () => void): void {
    if (this.inner !== undefined) return this.inner.end(done);
    if (done !== undefined) this.raw.once('close', done);
    this.raw.destroy();
  }

  destroy(): void {
    (this.inner ?? this.raw).destroy();
  }

  cut(): void {
    if (this.inner === undefined) this.raw.destroy();
    else this.inner.cut();
  }

  watchStall(ms: number, onStall?: () => void): void {
    this.inner?.watchStall(ms, onStall);
  }
}
