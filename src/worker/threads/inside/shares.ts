/**
 * Large pieces of answers, in memory that this thread and the main thread share. A piece that several clients receive exists
 * once, whichever threads have answered them. Copied for each, 60 slow readers of 50 MB took 3 GB. To compare 50 MB takes a
 * tenth of the time that a copy takes.
 */

import type { Share } from '../messages.ts';

/** For all threads of a worker. They can exceed it by what several of them begin to share at the same moment. */
const maxSharedBytes = 512 * 1024 * 1024;
/** Numbers of shares are unique in a worker: each thread has a range of its own. */
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

  /** @returns the same bytes in shared memory; undefined if there would be too much of it */
  of(bytes: Uint8Array): Share | undefined {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Compared by content: the app may make the same answer anew each time, or change the memory that it gave before.
    for (const [number, known] of this.known)
      if (known.byteLength === view.byteLength && view.equals(known)) return { number, bytes: known };
    if (this.knownBytes + view.byteLength > this.limitBytes) return undefined;
    const shared = new Uint8Array(new SharedArrayBuffer(view.byteLength));
    shared.set(view);
    const share = { number: ++this.last, bytes: shared };
    this.add(share);
    return share;
  }

  /** Another thread has shared it. */
  add({ number, bytes }: Share): void {
    if (this.known.has(number)) return;
    this.known.set(number, bytes);
    this.knownBytes += bytes.byteLength;
  }

  /** No client is receiving it any more. */
  remove(number: number): void {
    this.knownBytes -= this.known.get(number)?.byteLength ?? 0;
    this.known.delete(number);
  }
}
