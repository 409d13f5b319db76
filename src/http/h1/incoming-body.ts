/** Reads a request's body for the app, and discards what the app does not read. */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import type { Exchange } from '../exchange.ts';
import { maxDrainBytes } from '../limits.ts';
import { isShared, readBuffer } from '../wire/buffers.ts';
import { Gathered } from './gathered.ts';

export class IncomingBody {
  private readonly gathered = new Gathered();
  /** The memory of the next read, and whether the app has a piece of it. */
  private buffer: Buffer = readBuffer(false);
  private isBufferTaken = false;
  /** Bytes thrown away since the answer was complete. */
  private drainedBytes = 0;

  /**
   * The memory of the next read. A large body is read into buffers of its own, which go to the app without a copy: 1.3
   * times the uploads per second.
   */
  nextBuffer(isLarge: boolean): Buffer {
    if (!isLarge) this.buffer = readBuffer(false);
    else if (this.isBufferTaken || isShared(this.buffer)) this.buffer = readBuffer(true);
    this.isBufferTaken = false;
    return this.buffer;
  }

  begin(): void {
    this.drainedBytes = 0;
  }

  /** Lets go of its own large buffer, until bytes come again. */
  forget(): void {
    this.nextBuffer(false);
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.gathered.add(bytes, start, end);
  }

  /** Discards the first part of a body that turned out to be broken. */
  drop(): void {
    this.gathered.take();
  }

  /** Passes on what has been gathered. @returns false where there is no taker, and too much was thrown away */
  pass(taker: Exchange | undefined): boolean {
    const bytes = this.gathered.take();
    if (bytes === undefined) return true;
    if (taker === undefined) return this.drain(bytes.length);
    // A small piece would keep a large buffer alive.
    const isKept = !isShared(bytes) && bytes.length * 4 >= bytes.buffer.byteLength;
    if (isKept) this.isBufferTaken = true;
    try {
      taker.takeBody(isKept ? bytes : Buffer.from(bytes));
    } catch (error) {
      // The app's own error, which nothing catches. Thrown here, it would lose what else came in this read.
      setImmediate(() => {
        throw error;
      });
    }
    return true;
  }

  /** Counts what is thrown away. @returns false where that is too much */
  drain(bytes: number): boolean {
    this.drainedBytes += bytes;
    return this.drainedBytes <= maxDrainBytes;
  }
}
