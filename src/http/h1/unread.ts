/** Pipelined bytes that wait for the answer to the request before them. */

import { maxQueuedBytes } from '../limits.ts';
import { isShared } from '../wire/buffers.ts';

export class Unread {
  private readonly pieces: Buffer[] = [];
  private byteCount = 0;

  /** Copies them where they lie in memory that the next read fills again. */
  add(bytes: Buffer): void {
    this.pieces.push(isShared(bytes) ? Buffer.from(bytes) : bytes);
    this.byteCount += bytes.length;
  }

  /** Whether no more of them should be read. */
  get isFull(): boolean {
    return this.byteCount >= maxQueuedBytes;
  }

  join(): Buffer {
    return this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
  }
}
