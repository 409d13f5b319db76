/**
 * Joins the chunks of a body that one read brought. A body may come in chunks of one byte each; the app, and the messages of
 * the threaded class, would otherwise pay for each of them.
 */

/** Up to here a loop is quicker than a call of `copyWithin`. */
const fewBytes = 16;

export class Gathered {
  private bytes: Buffer | undefined = undefined;
  private start = 0;
  private end = 0;

  /** Adds what lies from `start` to `end`, behind all that was added of the same read before. Moves it within `bytes`. */
  add(bytes: Buffer, start: number, end: number): void {
    if (this.bytes === undefined) {
      this.bytes = bytes;
      this.start = start;
      this.end = end;
      return;
    }
    if (end - start > fewBytes) bytes.copyWithin(this.end, start, end);
    else for (let from = start, to = this.end; from < end; from++, to++) bytes[to] = bytes[from]!;
    this.end += end - start;
  }

  /** @returns all of it, as a view of what was read; undefined where there is nothing */
  take(): Buffer | undefined {
    const { bytes } = this;
    if (bytes === undefined) return undefined;
    this.bytes = undefined;
    return bytes.subarray(this.start, this.end);
  }
}
