/**
 * Complete small answers on their way from one thread to the main thread, in shared memory. A message would take 2 of the 14 µs
 * of a small request. One writer, one reader. A record is `[bytes of text, id, flags, length of its head, bytes of its body,
 * CPU time]` as 32-bit numbers, then the text as latin1, padded to whole words.
 */

import type { AnswerPart } from './messages.ts';

/** The first words: how far the writer and the reader have come, in bytes since the beginning, modulo 2^32. */
const written = 0;
const read = 1;
const headerBytes = 64;
const ringBytes = 256 * 1024;
const recordBytes = 24;
/** In place of a record: the next record is at the beginning of the ring. */
const wraps = -1;
/** Larger answers go as messages: the ring is for many small ones. */
export const maxTextBytes = 16 * 1024;

/**
 * Its text is latin1, and `sentBytes` less than 2^31, as all of a small answer is. A class, because V8 may decide to make the
 * objects of a literal old from the start: with their texts they then stay until the next collection of all garbage.
 */
class RingAnswer implements AnswerPart {
  readonly text: string;
  readonly bytes = undefined;
  readonly tail = '';
  readonly headLength: number;
  readonly sentBytes: number;
  readonly cpuMicros: number;

  constructor(text: string, headLength: number, sentBytes: number, cpuMicros: number) {
    this.text = text;
    this.headLength = headLength;
    this.sentBytes = sentBytes;
    this.cpuMicros = cpuMicros;
  }
}

type Written = Pick<AnswerPart, 'text' | 'headLength' | 'sentBytes' | 'cpuMicros'>;

export class AnswerRing {
  readonly memory: SharedArrayBuffer;
  private readonly positions: Int32Array;
  private readonly words: Int32Array;
  private readonly bytes: Buffer;

  constructor(memory = new SharedArrayBuffer(headerBytes + ringBytes)) {
    this.memory = memory;
    this.positions = new Int32Array(memory, 0, 2);
    this.words = new Int32Array(memory, headerBytes, ringBytes / 4);
    this.bytes = Buffer.from(memory, headerBytes, ringBytes);
  }

  /** For the thread. @returns false if there is no room; then the answer goes as a message */
  write(id: number, flags: number, { text, headLength, sentBytes, cpuMicros }: Written): boolean {
    const { length } = text;
    if (length > maxTextBytes) return false;
    const size = (recordBytes + length + 3) & ~3;
    let position = this.positions[written]! >>> 0;
    const room = ringBytes - ((position - Atomics.load(this.positions, read)) >>> 0);
    let at = position % ringBytes;
    const toEnd = ringBytes - at;
    if (size > toEnd) {
      if (room < toEnd + size) return false;
      this.words[at >> 2] = wraps;
      position += toEnd;
      at = 0;
    } else if (room < size) return false;
    const word = at >> 2;
    this.words[word] = length;
    this.words[word + 1] = id;
    this.words[word + 2] = flags;
    this.words[word + 3] = headLength;
    this.words[word + 4] = sentBytes;
    this.words[word + 5] = cpuMicros;
    this.bytes.write(text, at + recordBytes, length, 'latin1');
    Atomics.store(this.positions, written, (position + size) | 0);
    return true;
  }

  /** For the main thread: takes all answers that are there. @returns whether there were some */
  drain(take: (id: number, flags: number, answer: AnswerPart) => void): boolean {
    let position = this.positions[read]! >>> 0;
    const end = Atomics.load(this.positions, written) >>> 0;
    if (position === end) return false;
    while (position !== end) {
      const at = position % ringBytes;
      const word = at >> 2;
      const length = this.words[word]!;
      if (length === wraps) {
        position = (position + ringBytes - at) >>> 0;
        continue;
      }
      const start = at + recordBytes;
      const text = this.bytes.toString('latin1', start, start + length);
      const id = this.words[word + 1]!;
      const flags = this.words[word + 2]!;
      const headLength = this.words[word + 3]!;
      const sentBytes = this.words[word + 4]!;
      const cpuMicros = this.words[word + 5]!;
      position = (position + ((recordBytes + length + 3) & ~3)) >>> 0;
      Atomics.store(this.positions, read, position | 0);
      take(id, flags, new RingAnswer(text, headLength, sentBytes, cpuMicros));
    }
    return true;
  }
}

/** Whether the main thread reads the rings by itself, in each turn of its event loop. If not, a writer must wake it. */
export class Watch {
  readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** For a thread, after it has written. @returns whether it must wake the main thread */
  mustWake(): boolean {
    return Atomics.exchange(this.words, 0, 1) === 0;
  }

  /** For the main thread: it reads the rings by itself from now on. */
  begin(): void {
    Atomics.store(this.words, 0, 1);
  }

  /** For the main thread, which must read once more after this call: an answer may have been written just before. */
  end(): void {
    Atomics.store(this.words, 0, 0);
  }
}
