/** Texts that many requests have in common, such as the client's address and User-Agent: their escaped bytes are kept. */

import type { Escape, Lines } from './lines.ts';

interface Known {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const places = 16;
/** Shorter ones are as quick to escape; longer ones would hold on to memory. */
const shortest = 8;
const longest = 512;

export class Remembered {
  private readonly known: (Known | undefined)[] = Array.from({ length: places }, () => undefined);
  private readonly escape: Escape;

  constructor(escapeWith: Escape) {
    this.escape = escapeWith;
  }

  /** Writes it, escaped. */
  write(text: string, lines: Lines): void {
    const { length } = text;
    if (length < shortest || length > longest) return lines.escaped(text, this.escape);
    const place = (length + text.charCodeAt(length - 1)) % places;
    let known = this.known[place];
    if (known === undefined || known.text !== text) {
      // A copy: a piece of a longer text would hold on to all of that.
      known = { text: Buffer.from(text).toString(), bytes: bytesOf(this.escape(text)) };
      this.known[place] = known;
    }
    lines.piece(known.bytes);
  }
}

/** In memory of their own, as they are kept for long. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
