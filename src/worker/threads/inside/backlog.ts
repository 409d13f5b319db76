/**
 * The part of an answer that waits in its thread, because the main thread holds as much of the answer as it may. It is kept as
 * the app gave it, and copied slice by slice.
 */

import { type AnswerPart, bytesIn } from '../messages.ts';

const sliceBytes = 256 * 1024;

export interface WaitingPart {
  readonly flags: number;
  readonly part: AnswerPart;
}

export class Backlog {
  private waiting: WaitingPart[] = [];
  /** How much of the first part has been taken. */
  private offset = 0;
  private onEmpty: (() => void) | undefined = undefined;

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  get bytes(): number {
    return this.waiting.reduce((sum, { part }) => sum + bytesIn(part), -this.offset);
  }

  add(flags: number, part: AnswerPart): void {
    this.waiting.push({ flags, part });
  }

  /** @returns the next slice, in memory of its own; undefined if nothing waits */
  take(): WaitingPart | undefined {
    const [first] = this.waiting;
    if (first === undefined) return undefined;
    const { flags, part } = first;
    const { bytes } = part;
    if (bytes === undefined || part.share !== undefined) {
      this.waiting.shift();
      return first;
    }
    const isFirst = this.offset === 0;
    const end = this.offset + sliceBytes;
    const isLast = end >= bytes.byteLength;
    const slice = new Uint8Array(bytes.subarray(this.offset, end));
    this.offset = isLast ? 0 : end;
    if (isLast) this.waiting.shift();
    return {
      flags: isFirst ? flags : 0,
      part: {
        text: isFirst ? part.text : '',
        bytes: slice,
        tail: isLast ? part.tail : '',
        headLength: isFirst ? part.headLength : 0,
        sentBytes: part.sentBytes,
        cpuMicros: part.cpuMicros,
      },
    };
  }

  clear(): void {
    this.waiting = [];
    this.offset = 0;
  }

  /** Calls back at once if nothing waits, otherwise at `tellEmpty`. */
  whenEmpty(done: () => void): void {
    if (this.isEmpty) done();
    else this.onEmpty = done;
  }

  /** To be called when the slice that was taken last is sent. */
  tellEmpty(): void {
    const { onEmpty } = this;
    this.onEmpty = undefined;
    onEmpty?.();
  }
}
