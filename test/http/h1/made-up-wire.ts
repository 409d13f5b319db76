/** A wire without a socket: what is written is recorded, and what the kernel takes is the test's to say. */

import type { Wire, WireEvents } from '../../../src/http/wire/wire.ts';

export class MadeUpWire implements Wire {
  readonly isMarked = false;
  /** One entry for each write. */
  readonly written: string[] = [];
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  pendingBytes = 0;
  isPaused = false;
  isDestroyed = false;
  ending: 'ended' | 'destroyed' | 'cut' | undefined = undefined;
  /** Whether the client takes what it is sent. */
  isTaking = true;
  /** Set while a stall is watched for. */
  onStall: (() => void) | undefined = undefined;
  stallMs = 0;
  events: WireEvents | undefined = undefined;

  /** What a read brings: all of it in the memory that was asked for. */
  bring(text: string): void {
    const buffer = this.events!.nextBuffer();
    const length = buffer.write(text, 'latin1');
    this.events!.takeBytes(buffer, length);
  }

  /** The client takes all of it. */
  drain(): void {
    this.isTaking = true;
    this.pendingBytes = 0;
    this.events!.takeDrain();
  }

  write(text: string): boolean {
    this.written.push(text);
    if (!this.isTaking) this.pendingBytes += text.length;
    return this.isTaking;
  }

  writeTogether(head: string, bytes: Uint8Array, tail: string): boolean {
    return this.write(head + Buffer.from(bytes).toString('latin1') + tail);
  }

  whenTaken(callback: (error?: Error) => void): void {
    process.nextTick(callback);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(done?: () => void): void {
    this.ending ??= 'ended';
    done?.();
  }

  destroy(): void {
    this.close('destroyed');
  }

  cut(): void {
    this.close('cut');
  }

  private close(how: 'destroyed' | 'cut'): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.ending = how;
    setImmediate(() => this.events?.takeClose());
  }

  watchStall(ms: number, onStall?: () => void): void {
    this.stallMs = ms;
    this.onStall = ms === 0 ? undefined : onStall;
  }
}
