/** A wire over TLS. Before the handshake is over there is nothing to read, and what is written goes nowhere. */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { contextsStay } from '../context.ts';
import { StreamWire } from '../wire/stream-wire.ts';
import { canceled, type Taken, tellTaken, writeError } from '../wire/taken.ts';
import type { Wire, WireEvents } from '../wire/wire.ts';

export class TlsWire implements Wire {
  onAttached: (() => void) | undefined = undefined;
  private readonly raw: Socket;
  private readonly events: WireEvents;
  private secure: TLSSocket | undefined = undefined;
  private inner: StreamWire | undefined = undefined;
  private isHeld = false;

  constructor(raw: Socket, events: WireEvents) {
    this.raw = raw;
    this.events = events;
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.inner === undefined) events.takeClose();
    });
  }

  /** The handshake is over. */
  attach(secure: TLSSocket): void {
    if (this.raw.destroyed) return void secure.destroy();
    this.secure = secure;
    this.inner = new StreamWire(secure, this.events);
    if (this.isHeld) this.inner.pause();
    this.onAttached?.();
  }

  get isMarked(): boolean {
    return contextsStay;
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
    return this.secure?.destroyed ?? this.raw.destroyed;
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

  /** A client in its handshake has asked for nothing. */
  end(done?: () => void): void {
    if (this.inner !== undefined) return this.inner.end(done);
    if (done !== undefined) this.raw.once('close', done);
    this.raw.destroy();
  }

  destroy(): void {
    (this.secure ?? this.raw).destroy();
  }

  /** Without the `close_notify` of a proper end, which tells a client that what it has is not all (RFC 8446 §6.1). */
  cut(): void {
    this.destroy();
  }

  watchStall(ms: number, onStall?: () => void): void {
    this.inner?.watchStall(ms, onStall);
  }
}
