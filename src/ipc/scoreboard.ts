/**
 * How many connections each worker holds, for the others to see: a file in memory that all of them have open, with one
 * record each. A worker that accepts must know at once, and asking the master would take too long: a record is written
 * or read in 2 µs.
 */

import { readSync, writeSync } from 'node:fs';

/** A worker's record on the scoreboard. */
export interface Slot {
  readonly fd: number;
  readonly index: number;
}

export interface Entry {
  readonly connections: number;
  /** Whether it takes connections as they come; not while it is full, lags, or leaves. */
  readonly isTaking: boolean;
  /** Whether what it takes is served without waiting for the end of other requests; it may lag. */
  readonly hasRoom: boolean;
}

/** Two numbers of 32 bits: when it was written, in milliseconds, and the connections above two bits that say what it can do. */
const recordBytes = 8;
const takingBit = 1;
const roomBit = 2;
const stateBits = 2;
/** The number of records that are read; workers beyond are not seen. */
const slots = 1024;

export class Scoreboard {
  private readonly slot: Slot;
  private readonly own = new Uint32Array(2);
  private readonly all = new Uint32Array(slots * 2);

  constructor(slot: Slot) {
    this.slot = slot;
  }

  write({ connections, isTaking, hasRoom }: Entry, now: number): void {
    this.own[0] = now;
    this.own[1] = (connections << stateBits) | (isTaking ? takingBit : 0) | (hasRoom ? roomBit : 0);
    try {
      writeSync(this.slot.fd, this.own, 0, recordBytes, this.slot.index * recordBytes);
    } catch {
      // The device is full: this worker is not seen, and counts as blocked.
    }
  }

  /** The fewest connections of any other that takes some; Infinity if none does. A worker that has not written for `freshMs` is blocked, or gone. */
  fewest(now: number, freshMs: number): number {
    let fewest = Number.POSITIVE_INFINITY;
    for (const state of this.others(now, freshMs))
      if ((state & takingBit) !== 0) fewest = Math.min(fewest, state >> stateBits);
    return fewest;
  }

  /** Whether any other that has written something for `freshMs` has room. */
  hasRoom(now: number, freshMs: number): boolean {
    return this.others(now, freshMs).some((state) => (state & roomBit) !== 0);
  }

  /** Whether another worker has written within the last `freshMs`. */
  hasOthers(now: number, freshMs: number): boolean {
    return this.others(now, freshMs).length > 0;
  }

  private others(now: number, freshMs: number): number[] {
    const count = readSync(this.slot.fd, this.all, 0, this.all.byteLength, 0) / recordBytes;
    const states: number[] = [];
    for (let index = 0; index < count; index++)
      if (index !== this.slot.index && now - this.all[index * 2]! <= freshMs) states.push(this.all[index * 2 + 1]!);
    return states;
  }
}

/** Milliseconds on a clock that all processes of the machine share and nobody sets; it wraps. */
export function sharedClock(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds * 1000 + Math.floor(nanoseconds / 1e6)) % 2 ** 32;
}
