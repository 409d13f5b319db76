/**
 * Pieces of a body that wait for a reader. Small ones are joined: a client may send each byte in a packet of its own, and
 * an object for each takes a hundred times the memory that the limits count.
 */

/** A piece of this size or more is kept as it came. */
const smallBytes = 2 * 1024;
const blockBytes = 4 * 1024;

export class Pieces {
  byteCount = 0;
  private whole: Buffer[] = [];
  /** Where small ones are put together, and how much of it is filled; or, until there is a second one, the first. */
  private block: Buffer | undefined = undefined;
  private filled = 0;

  add(bytes: Buffer): void {
    this.byteCount += bytes.length;
    const { block } = this;
    if (bytes.length >= smallBytes) {
      this.endBlock();
      this.whole.push(bytes);
    } else if (block === undefined) {
      this.block = bytes;
      this.filled = bytes.length;
    } else if (this.filled + bytes.length <= block.length) {
      block.set(bytes, this.filled);
      this.filled += bytes.length;
    } else {
      const isFull = block.length === blockBytes;
      if (isFull) this.endBlock();
      this.block = Buffer.allocUnsafeSlow(blockBytes);
      if (!isFull) this.block.set(block.subarray(0, this.filled));
      this.block.set(bytes, this.filled);
      this.filled += bytes.length;
    }
  }

  /** All of them, in order. Nothing is left. */
  take(): Buffer[] {
    this.endBlock();
    const { whole } = this;
    this.whole = [];
    this.byteCount = 0;
    return whole;
  }

  private endBlock(): void {
    if (this.block !== undefined) this.whole.push(this.block.subarray(0, this.filled));
    this.block = undefined;
    this.filled = 0;
  }
}
