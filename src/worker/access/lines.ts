/**
 * Lines of the access log, as bytes in one piece of memory until they are written together. No text is made of a line: joining
 * texts, and encoding the whole, takes several times as long.
 */

/** This many bytes are written at once. */
export const gatheredBytes = 32_768;
/** Room for a long line behind those. */
const roomBytes = 2 * gatheredBytes;
/** From this length on, Node's own code is quicker than a loop. */
const longText = 60;
/** Shorter pieces are quicker in a loop than by `set`. */
const longPiece = 12;

export type Escape = (text: string) => string;

export class Lines {
  length = 0;
  private bytes: Buffer = Buffer.alloc(0);

  /** Forgets what it holds. @returns it, in memory that the next line overwrites */
  take(): Buffer {
    const { bytes, length } = this;
    this.length = 0;
    // The memory of an oversized line is not kept.
    if (bytes.length > roomBytes) this.bytes = Buffer.alloc(0);
    return bytes.subarray(0, length);
  }

  byte(code: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = code;
  }

  /** @param index of a byte that was written since the last `take` */
  replace(index: number, code: number): void {
    this.bytes[index] = code;
  }

  piece(piece: Uint8Array): void {
    const { length: count } = piece;
    if (this.length + count > this.bytes.length) this.grow(count);
    const { bytes, length: start } = this;
    if (count >= longPiece) bytes.set(piece, start);
    else for (let index = 0; index < count; index++) bytes[start + index] = piece[index]!;
    this.length = start + count;
  }

  /** @param escapeWith called only where something is to be escaped, or the text is long */
  escaped(text: string, escapeWith: Escape): void {
    const { length: count } = text;
    if (count >= longText) return this.ascii(escapeWith(text));
    if (this.length + count > this.bytes.length) this.grow(count);
    const { bytes, length: start } = this;
    for (let index = 0; index < count; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return this.ascii(escapeWith(text));
      bytes[start + index] = code;
    }
    this.length = start + count;
  }

  /** Of printable characters. */
  ascii(text: string): void {
    const { length: count } = text;
    if (this.length + count > this.bytes.length) this.grow(count);
    const { bytes, length: start } = this;
    if (count >= longText) bytes.write(text, start, 'latin1');
    else for (let index = 0; index < count; index++) bytes[start + index] = text.charCodeAt(index);
    this.length = start + count;
  }

  /** Not negative. */
  integer(value: number): void {
    if (value > 0x7fff_ffff) return this.ascii(String(value));
    let count = 1;
    for (let bound = 10; value >= bound; bound *= 10) count++;
    if (this.length + count > this.bytes.length) this.grow(count);
    const { bytes, length: start } = this;
    let left = value | 0;
    for (let index = start + count - 1; index >= start; index--) {
      const rest = (left / 10) | 0;
      bytes[index] = 0x30 + left - rest * 10;
      left = rest;
    }
    this.length = start + count;
  }

  /** Not negative; with three decimals at most. */
  decimal(value: number): void {
    const thousandths = Math.round(value * 1000);
    const whole = Math.floor(thousandths / 1000);
    this.integer(whole);
    let rest = thousandths - whole * 1000;
    if (rest === 0) return;
    this.byte(0x2e);
    for (let unit = 100; rest > 0; unit /= 10) {
      const digit = (rest / unit) | 0;
      this.byte(0x30 + digit);
      rest -= digit * unit;
    }
  }

  private grow(count: number): void {
    const { bytes, length } = this;
    // Not from the pool that Node's buffers share, because it is kept for long.
    this.bytes = Buffer.allocUnsafeSlow(Math.max(roomBytes, 2 * (length + count)));
    bytes.copy(this.bytes, 0, 0, length);
  }
}
