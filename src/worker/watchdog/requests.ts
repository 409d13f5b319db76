/**
 * The running requests, in memory that the watchdog's thread can read while the main thread is in native code. It is written
 * for each request, so it takes few and cheap steps: 50 ns in all.
 */

import type { RunningList, RunningRequest } from '../../ipc/messages.ts';

/** Requests beyond this number are counted, but not named: a log line could not list them. */
const places = 128;
/**
 * Per place: when the request began (64 bits), the length of the text (32 bits, 0 if the place is free), the descriptor of its
 * connection (32 bits, -1 if it is not known), and the text.
 */
const placeShift = 8;
const placeBytes = 1 << placeShift;
const textAt = 16;
const longestText = placeBytes - textAt;
/** The head holds the time origin of the main thread's `performance.now()` (64 bits), and how many requests run. */
const headBytes = placeBytes;
const countAt = 2;
/** Up to this length, a loop is quicker than a native call. */
const shortText = 64;

/** Written by the main thread alone. */
export class RequestTable {
  readonly shared = new SharedArrayBuffer(headBytes + places * placeBytes);
  private readonly bytes = Buffer.from(this.shared);
  private readonly starts = new Float64Array(this.shared);
  private readonly lengths = new Int32Array(this.shared);
  private readonly free = Array.from({ length: places }, (_, index) => headBytes + (places - 1 - index) * placeBytes);
  /** One function per place, made once: so a request allocates no closure. */
  private readonly leaves = this.free.map((_, index) => () => this.leave(headBytes + index * placeBytes));
  /** The last text of each place: most requests find theirs there, and need not write it. */
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
   * @param startedAt by `performance.now()`
   * @param descriptor of its connection
   * @returns a function to call once, when the request is over
   */
  enter(method: string, path: string, startedAt: number, descriptor = -1): () => void {
    const { lengths, methods, paths } = this;
    lengths[countAt]!++;
    const place = this.free.pop();
    if (place === undefined) return this.leaveUnnamed;
    const index = (place >> placeShift) - 1;
    if (paths[index] !== path || methods[index] !== method) {
      methods[index] = method;
      // A long path is not kept: it would stay in memory after its request.
      paths[index] = path.length > shortText ? '' : path;
      this.writeText(place + textAt, method === 'GET' ? path : `${method} ${path}`);
    }
    const length = method === 'GET' ? path.length : method.length + 1 + path.length;
    this.starts[place >> 3] = startedAt;
    lengths[(place + 12) >> 2] = descriptor;
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

/** For the watchdog's thread. The oldest come first. */
export function readTable(shared: SharedArrayBuffer): RunningRequest[] {
  const requests = readEntries(shared).map(({ method, path, ms }) => ({ method, path, ms }));
  return requests.sort((one, other) => other.ms - one.ms);
}

/** As `readTable`, with the number of requests that are not listed. */
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
  /** Of its connection; -1 if it is not known. */
  readonly descriptor: number;
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
    const descriptor = lengths[(place + 12) / 4]!;
    entries.push({
      key: `${place} ${startedAt}`,
      method,
      path,
      ms: Math.max(0, Math.round(now - startedAt)),
      descriptor,
    });
  }
  return entries;
}
