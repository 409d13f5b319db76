/**
 * Field sections that were read before. Clients that keep a connection send the same one again and again, and so do proxies;
 * comparing is cheaper than reading (docs/decisions/known-heads.md). Only sections that end what was read are looked up, since their length is known then.
 *
 * Pure, and of all connections of a server: what is found is what reading would have made of the same bytes.
 */

import type { FieldName } from '../fields.ts';
import { RequestHead } from '../head.ts';
import { lineEnd } from './quick-head.ts';

/** A power of two. */
const places = 16;
/** Longer sections are read each time. */
const maxBytes = 2048;
/** The last four bytes are compared by themselves. */
const shortest = 4;
/** A place whose sections do not come back takes fewer and fewer of them, and in the end one of so many. */
const rarely = 1024;

class KnownSection {
  /** The section, without the empty line that ends the head; its last four bytes are in `tail` too. */
  private readonly words = new Int32Array(maxBytes / 4);
  private tail = 0;
  length = 0;
  private misses = 0;
  private names: FieldName[] = [];
  private values: string[] = [];
  private host: string | undefined = undefined;
  private contentLength = -1;
  private isKeepAlive = true;
  private isUpgrade = false;
  private isForwarded = false;

  /**
   * Whether these are the next bytes. All of them are compared, also behind a difference: how long it takes does not show a client
   * which part of another one's fields it has guessed.
   */
  isAt(bytes: DataView, start: number): boolean {
    const { words, length } = this;
    const count = length >> 2;
    let difference = bytes.getInt32(start + length - 4) ^ this.tail;
    for (let index = 0, at = start; index < count; index++, at += 4) difference |= bytes.getInt32(at) ^ words[index]!;
    return difference === 0;
  }

  /** A head with these fields, and what they mean for its framing. */
  makeHead(): RequestHead {
    this.misses = 0;
    const head = new RequestHead(this.names, this.values);
    head.host = this.host;
    head.contentLength = this.contentLength;
    head.isKeepAlive = this.isKeepAlive;
    head.isUpgrade = this.isUpgrade;
    head.isForwarded = this.isForwarded;
    return head;
  }

  /** @returns whether the next section is to be kept here */
  countMiss(): boolean {
    this.misses++;
    const isPowerOfTwo = (this.misses & (this.misses - 1)) === 0;
    return this.misses < rarely ? isPowerOfTwo : this.misses % rarely === 0;
  }

  keep(bytes: DataView, start: number, end: number, head: RequestHead): void {
    const { words } = this;
    this.length = end - start;
    this.tail = bytes.getInt32(end - 4);
    for (let at = start, index = 0; at + 4 <= end; at += 4, index++) words[index] = bytes.getInt32(at);
    this.names = head.names;
    // Slices keep the whole text alive that they were cut from.
    this.values = head.values.map(copied);
    this.host = head.host === undefined ? undefined : copied(head.host);
    this.contentLength = head.contentLength;
    this.isKeepAlive = head.isKeepAlive;
    this.isUpgrade = head.isUpgrade;
    this.isForwarded = head.isForwarded;
  }
}

function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

export class KnownHeads {
  private readonly sections: (KnownSection | undefined)[] = new Array(places).fill(undefined);

  /** @param end where the head ends, if it is a known one and nothing follows it */
  find(bytes: DataView, start: number, end: number): KnownSection | undefined {
    const length = end - 2 - start;
    if (length < shortest || bytes.getUint16(end - 2) !== lineEnd) return undefined;
    const section = this.sections[length & (places - 1)];
    return section?.length === length && section.isAt(bytes, start) ? section : undefined;
  }

  /** Keeps the section of a head that was just read, unless it would hardly ever be found. */
  keep(bytes: DataView, start: number, end: number, head: RequestHead): void {
    const length = end - 2 - start;
    // Of chunked bodies and expectations nothing is remembered: such heads are always read.
    if (length < shortest || length > maxBytes || head.isChunked || head.expectsContinue || head.expectsOther) return;
    const place = length & (places - 1);
    const section = this.sections[place];
    if (section?.countMiss() === false) return;
    this.sections[place] = section ?? new KnownSection();
    this.sections[place].keep(bytes, start, end - 2, head);
  }
}
