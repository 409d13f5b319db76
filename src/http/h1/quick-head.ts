/**
 * The lines of a head in the form that nearly all of them have, straight from the bytes and four at a time: a fifth of what
 * texts and expressions take. Lines of another form, and those that break a rule, are left to the parser, which knows all
 * rules.
 *
 * Positions are those of the bytes. The text is that of the bytes from `textStart` on, and `limit` is where it ends. A
 * DataView is quicker than an array of bytes, which would be asked for each of them whether it is still there.
 */

import { type FieldName, firstField, lookUpField } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import type { Limits } from '../limits.ts';
import { targetForm } from './grammar.ts';

const tab = 0x09;
const space = 0x20;
const colon = 0x3a;
const questionMark = 0x3f;
const deleteCode = 0x7f;
/** CRLF, as a number of 16 bits. */
export const lineEnd = 0x0d0a;

const getStart = Buffer.from('GET /');
const postStart = Buffer.from('POST /');
const versionEnd = Buffer.from('HTTP/1.1\r\n');

const targetBytes = Uint8Array.from({ length: 256 }, (_, code) => (targetForm.test(String.fromCharCode(code)) ? 1 : 0));

/** A request line of GET or POST, a path and HTTP/1.1. One object for all: what it found is read before the next one. */
export class QuickLine {
  /** Behind its CRLF. */
  end = 0;
  private isGet = true;
  private targetAt = 0;
  private targetEnd = 0;
  private mark = -1;

  /** @returns false where it is another line, or not all there */
  find(bytes: DataView, start: number, limit: number, { requestLineBytes }: Limits): boolean {
    const isGet = isAt(bytes, start, limit, getStart);
    if (!isGet && !isAt(bytes, start, limit, postStart)) return false;
    const targetAt = start + (isGet ? getStart : postStart).length - 1;
    let mark = -1;
    let end = targetAt;
    for (; end < limit; end++) {
      const code = bytes.getUint8(end);
      if (code === questionMark && mark === -1) mark = end;
      else if (targetBytes[code] === 0) break;
    }
    if (end === limit || bytes.getUint8(end) !== space || !isAt(bytes, end + 1, limit, versionEnd)) return false;
    if (requestLineBytes > 0 && end + versionEnd.length - 1 - start > requestLineBytes) return false;
    this.isGet = isGet;
    this.targetAt = targetAt;
    this.targetEnd = end;
    this.mark = mark;
    this.end = end + 1 + versionEnd.length;
    return true;
  }

  /** @param head takes what it says */
  read(text: string, textStart: number, head: RequestHead): void {
    const { targetAt, targetEnd, mark } = this;
    head.method = this.isGet ? 'GET' : 'POST';
    head.target = text.slice(targetAt - textStart, targetEnd - textStart);
    head.path = mark === -1 ? head.target : text.slice(targetAt - textStart, mark - textStart);
    if (mark !== -1) head.query = text.slice(mark + 1 - textStart, targetEnd - textStart);
  }

  /** As `read`, where there is no text yet. */
  readFrom(bytes: Buffer, head: RequestHead): void {
    this.read(bytes.toString('latin1', this.targetAt, this.targetEnd), this.targetAt, head);
  }
}

/**
 * Takes the field lines that are whole, up to the empty one that ends the head.
 * @returns where it stopped: behind the last of them
 */
export function takeQuickFields(
  bytes: DataView,
  start: number,
  text: string,
  textStart: number,
  { fieldBytes, fieldCount }: Limits,
  { names, values }: RequestHead,
): number {
  const limit = textStart + text.length;
  let position = start;
  let count = names.length;
  let before = count === 0 ? firstField : names[count - 1]!;
  for (;;) {
    if (count >= fieldCount) return position;
    const guess = before.follower;
    const isGuessed = guess !== undefined && isNameAt(bytes, position, limit, guess);
    let end = isGuessed ? position + guess.raw.length + 1 : position;
    const valueStart = end;
    end = valueEnd(bytes, end, limit);
    if (end + 1 >= limit || bytes.getUint16(end) !== lineEnd) return position;
    if (fieldBytes > 0 && end - position > fieldBytes) return position;
    const name = isGuessed ? guess : nameAt(text, position - textStart, end - textStart, before);
    if (name === undefined) return position;
    let from = isGuessed ? valueStart : position + name.raw.length + 1;
    let to = end;
    while (from < to && isOws(bytes.getUint8(from))) from++;
    while (to > from && isOws(bytes.getUint8(to - 1))) to--;
    names[count] = name;
    values[count++] = text.slice(from - textStart, to - textStart);
    before = name;
    position = end + 2;
  }
}

function nameAt(
  text: string,
  start: number,
  end: number,
  before: FieldName | typeof firstField,
): FieldName | undefined {
  const stop = text.indexOf(':', start);
  const field = stop === -1 || stop >= end ? undefined : lookUpField(text.slice(start, stop));
  // Only cached names are linked, as their number is bounded. Clients can send any number of others, which would stay in memory.
  if (before.isCached && field?.isCached === true) before.follower = field;
  return field;
}

/** Whether the name that is expected next is there, and its colon. */
function isNameAt(bytes: DataView, position: number, limit: number, { raw, words, rest }: FieldName): boolean {
  let at = position;
  if (at + raw.length >= limit) return false;
  for (let index = 0; index < words.length; index++, at += 4) if (bytes.getInt32(at) !== words[index]) return false;
  for (let index = 0; index < rest.length; index++, at++) if (bytes.getUint8(at) !== rest[index]) return false;
  return bytes.getUint8(at) === colon;
}

function isAt(bytes: DataView, position: number, limit: number, expected: Uint8Array): boolean {
  const { length } = expected;
  if (position + length > limit) return false;
  for (let index = 0; index < length; index++) if (bytes.getUint8(position + index) !== expected[index]) return false;
  return true;
}

/** The first position from `start` on with a byte that may be in no value (RFC 9110 §5.5); else `limit`. */
function valueEnd(bytes: DataView, start: number, limit: number): number {
  let at = start;
  for (;;) {
    // Four bytes, none of them a control or DEL, by the arithmetic of "determine if a word has a byte less than n".
    for (; at + 4 <= limit; at += 4) {
      const four = bytes.getInt32(at);
      const flipped = four ^ 0x7f7f7f7f;
      const controls = (four - 0x20202020) & ~four;
      const deletes = (flipped - 0x01010101) & ~flipped;
      if (((controls | deletes) & 0x80808080) !== 0) break;
    }
    const stop = Math.min(at + 4, limit);
    for (; at < stop; at++) {
      const code = bytes.getUint8(at);
      if ((code < space && code !== tab) || code === deleteCode) return at;
    }
    if (at === limit) return limit;
  }
}

function isOws(code: number): boolean {
  return code === space || code === tab;
}
