/**
 * Large pieces of answers, in memory that this thread and the main thread have in common: a piece that several clients are
 * being sent is there once, whichever threads have answered them. Copied for each, 60 slow readers of 50 MB took 3 GB; and
 * to compare 50 MB takes a tenth of the time that it takes to copy them.
 */

import type { Share } from '../messages.ts';

/** In all threads of a worker, but for what several begin to share in the same moment. */
const maxSharedBytes = 512 * 1024 * 1024;
/** Numbers of shares are unique in a worker: those of each thread begin at another one. */
const numbersOfThread = 2 ** 32;

export class Shares {
  private readonly known = new Map<number, Uint8Array>();
  private readonly limitBytes: number;
  private knownBytes = 0;
  private last: number;

  constructor(threadId: number, limitBytes = maxSharedBytes) {
    this.last = threadId * numbersOfThread;
    this.limitBytes = limitBytes;
  }

  /** The same bytes in shared memory; undefined when that would take more of it than there may be. */
  of(bytes: Uint8Array): Share | undefined {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // By content: the app may make the same answer anew each time, or change what it gave before.
    for (const [number, known] of this.known)
      if (known.byteLength === view.byteLength && view.equals(known)) return { number, bytes: known };
    if (this.knownBytes + view.byteLength > this.limitBytes) return undefined;
    const shared = new Uint8Array(new SharedArrayBuffer(view.byteLength));
    shared.set(view);
    const share = { number: ++this.last, bytes: shared };
    this.add(share);
    return share;
  }

  /** From the main thread: another thread has shared it. */
  add({ number, bytes }: Share): void {
    if (this.known.has(number)) return;
    this.known.set(number, bytes);
    this.knownBytes += bytes.byteLength;
  }

  /** From the main thread: no client is being sent it any more. */
  remove(number: number): void {
    this.knownBytes -= this.known.get(number)?.byteLength ?? 0;
    this.known.delete(number);
  }
}
