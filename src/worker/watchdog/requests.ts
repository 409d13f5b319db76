/**
 * The requests that run, in memory that the watchdog's thread can read while the main thread is in native code and answers
 * nothing. It is written with each request, so it is made of few and cheap steps: 50 ns in all.
 */

import type { RunningList, RunningRequest } from '../../ipc/messages.ts';

/** More than these are counted, but not named: a log line is no place for them. */
const places = 128;
/** Per place: when it began (64 bits), the length of the text (32 bits, 0 where the place is free), and the text. */
const placeShift = 8;
const placeBytes = 1 << placeShift;
const textAt = 12;
const longestText = placeBytes - textAt;
/** The place ahead of the first holds what `performance.now()` of the main thread counts from (64 bits), and how many run. */
const headBytes = placeBytes;
const countAt = 2;
/** Up to here a loop is quicker than a call of native code. */
const shortText = 64;

/** Written by the main thread alone. */
export class RequestTable {
  readonly shared = new SharedArrayBuffer(headBytes + places * placeBytes);
  private readonly bytes = Buffer.from(this.shared);
  private readonly starts = new Float64Array(this.shared);
  private readonly lengths = new Int32Array(this.shared);
  private readonly free = Array.from({ length: places }, (_, index) => headBytes + (places - 1 - index) * placeBytes);
  /** Made once, so that a request costs no closure. By the number of the place. */
  private readonly leaves = this.free.map((_, index) => () => this.leave(headBytes + index * placeBytes));
  /** What the text of each place was made of: most requests find their own there. */
  private readonly methods: string[] = this.free.map(() => '');
  private readonly paths: string[] = this.free.map(() => '');

  /** How many run. */
  get count(): number {
    return this.lengths[countAt]!;
  }

  constructor() {
    this.starts[0] = performance.timeOrigin;
  }

  /**
   * @param startedAt as `performance.now()` says it
   * @returns to be called once, when it is over
   */
  enter(method: string, path: string, startedAt: number): () => void {
    const { lengths, methods, paths } = this;
    lengths[countAt]!++;
    const place = this.free.pop();
    if (place === undefined) return this.leaveUnnamed;
    const index = (place >> placeShift) - 1;
    if (paths[index] !== path || methods[index] !== method) {
      methods[index] = method;
      // A long one is not kept: it would stay in memory after its request.
      paths[index] = path.length > shortText ? '' : path;
      this.writeText(place + textAt, method === 'GET' ? path : `${method} ${path}`);
    }
    const length = method === 'GET' ? path.length : method.length + 1 + path.length;
    this.starts[place >> 3] = startedAt;
    lengths[(place + 8) >> 2] = length > longestText ? longestText : length;
    return this.leaves[index]!;
  }

  private writeText(at: number, text: string): void {
    const { bytes } = this;
    const { length } = text;
    if (length > shortText) bytes.write(text, at, longestText, 'latin1');
    else for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
  }

  private leave(place: number): void {
    const { lengths } = this;
    lengths[countAt]!--;
    lengths[(place + 8) >> 2] = 0;
    this.free.push(place);
  }

  private readonly leaveUnnamed = () => {
    this.lengths[countAt]!--;
  };
}

/** For the watchdog's thread. The oldest first. */
export function readTable(shared: SharedArrayBuffer): RunningRequest[] {
  const requests = readEntries(shared).map(({ method, path, ms }) => ({ method, path, ms }));
  return requests.sort((one, other) => other.ms - one.ms);
}

/** The same, and how many run beside those. */
export function readRunning(shared: SharedArrayBuffer): RunningList {
  const requests = readTable(shared);
  return { requests, more: Math.max(0, countRunning(shared) - requests.length) };
}

export function countRunning(shared: SharedArrayBuffer): number {
  return new Int32Array(shared, 0, countAt + 1)[countAt]!;
}

export interface TableEntry extends RunningRequest {
  /** Identifies a request while it runs. */
  readonly key: string;
}

export function readEntries(shared: SharedArrayBuffer): TableEntry[] {
  const bytes = Buffer.from(shared);
  const starts = new Float64Array(shared);
  const lengths = new Int32Array(shared);
  const now = performance.timeOrigin + performance.now() - starts[0]!;
  const entries: TableEntry[] = [];
  for (let place = headBytes; place < shared.byteLength; place += placeBytes) {
    const length = lengths[(place + 8) / 4]!;
    if (length === 0) continue;
    const text = bytes.toString('latin1', place + textAt, place + textAt + length);
    const [, method = 'GET', path = text] = /^([^ /]+) (.*)/s.exec(text) ?? [];
    const startedAt = starts[place / 8]!;
    entries.push({ key: `${place} ${startedAt}`, method, path, ms: Math.max(0, Math.round(now - startedAt)) });
  }
  return entries;
}
