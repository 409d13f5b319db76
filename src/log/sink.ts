/**
 * A bounded writer of lines that never blocks. What the descriptor takes is written at once, so that a crash loses none of
 * it. The rest waits in memory up to a limit; beyond the limit lines are dropped and counted. It knows no format, and it
 * reports no failure through itself.
 */

import { closeSync, writeSync } from 'node:fs';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Target } from './target.ts';

// Fake timers replace this method, too: a process that exits would wait for ever for a reader.
const clock = performance.now.bind(performance);

export interface Dropped {
  readonly lines: number;
  readonly bytes: number;
}

export interface SinkOptions {
  /** Opens a descriptor whose writes do not block. @throws the system's error; the sink tries again later */
  readonly open: () => Target;
  /** How much may wait in memory. */
  readonly limitBytes?: number;
  /** How long lines may be gathered for one write; 0: each line is written at once. */
  readonly gatherMs?: number;
}

const defaultLimitBytes = 4 * 1024 * 1024;
/** The most bytes in one write. When so many have gathered, they are written at once. */
const largestPieceBytes = 65_536;
/** pipe(7): a pipe takes a write of up to this many bytes whole, so that lines of several processes do not mix. */
const atomicBytes = 4096;
/** A slow reader soon reads again; a full disk or a closed pipe takes longer. */
const longestRetryMs = { full: 200, broken: 1000 } as const;
const failureEveryMs = 60_000;
/** A stop must be obeyed within a second, even if nobody reads the log. */
const exitFlushMs = 200;
const flushStepMs = 5;

export class Sink {
  /** Called at the place where lines are missing, so that its report stands there. */
  onDropped: ((dropped: Dropped) => void) | undefined = undefined;
  /** Called when writes fail, at most once a minute. A slow reader is not a failure. */
  onFailure: ((error: NodeJS.ErrnoException) => void) | undefined = undefined;
  private readonly open: () => Target;
  private readonly limitBytes: number;
  private readonly gatherMs: number;
  private target: Target | undefined = undefined;
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  /** How many bytes of the first piece in the queue are written. */
  private offset = 0;
  private droppedLines = 0;
  private droppedBytes = 0;
  private isReporting = false;
  private isDraining = false;
  private isBroken = false;
  private retryMs = 0;
  /** When the queue is written next. */
  private dueAt = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private failureSaidAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor({ open, limitBytes = defaultLimitBytes, gatherMs = 0 }: SinkOptions) {
    this.open = open;
    this.limitBytes = limitBytes;
    this.gatherMs = gatherMs;
  }

  /**
   * @param isUrgent whether the line may use the reserve when others are dropped
   * @param lines how many whole lines are in it
   */
  write(data: string | Uint8Array, isUrgent = false, lines = 1): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (bytes.length === 0) return;
    if (this.queuedBytes > 0 && clock() >= this.dueAt) this.drain();
    if (this.mustDrop(bytes.length, isUrgent)) {
      this.droppedLines += lines;
      this.droppedBytes += bytes.length;
      return;
    }
    this.reportDropped();
    if (this.queuedBytes === 0 && this.gatherMs > 0) this.dueAt = clock() + this.gatherMs;
    this.push(bytes);
    if (isExiting || this.dueAt === 0 || (this.retryMs === 0 && this.queuedBytes >= largestPieceBytes)) this.drain();
    if (this.queuedBytes === 0) return;
    // The caller may reuse the memory.
    if (typeof data !== 'string' && this.queue.at(-1) === data) this.queue[this.queue.length - 1] = Buffer.from(data);
    this.wait();
  }

  /** Reopens the file; lines that wait go to the new one. @throws the system's error; then the old file stays */
  reopen(): void {
    const old = this.target;
    this.target = this.open();
    if (old?.isOwn === true) closeSync(old.fd);
    if (this.queuedBytes > 0) this.drain();
  }

  /** Closes the descriptor once all that waits is written. A later line opens the file again. */
  close(): void {
    this.isClosed = true;
    this.drain();
    if (this.queuedBytes === 0) this.letGo();
  }

  private letGo(): void {
    const { target } = this;
    this.target = undefined;
    if (target?.isOwn === true) closeSync(target.fd);
  }

  /** Blocks until all is written, or the time is over. @returns whether all is written */
  flush(withinMs: number): boolean {
    const deadline = clock() + withinMs;
    for (;;) {
      this.drain();
      if (this.queuedBytes === 0) return true;
      if (this.isBroken || clock() >= deadline) return false;
      Atomics.wait(sleepCell, 0, 0, flushStepMs);
    }
  }

  private mustDrop(bytes: number, isUrgent: boolean): boolean {
    if (this.queuedBytes === 0 || this.isReporting) return false;
    // After a drop, wait until there is room for many lines: a report between every two lines would fill the log.
    const share = isUrgent ? 2 : this.droppedLines > 0 ? 0.5 : 1;
    return this.queuedBytes + bytes > this.limitBytes * share;
  }

  /** Tells of the lines dropped until now, if there are any, without waiting for room. */
  reportDropped(): void {
    if (this.droppedLines === 0) return;
    const dropped = { lines: this.droppedLines, bytes: this.droppedBytes };
    this.droppedLines = 0;
    this.droppedBytes = 0;
    this.isReporting = true;
    this.onDropped?.(dropped);
    this.isReporting = false;
  }

  private push(bytes: Uint8Array): void {
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
  }

  private drain(): void {
    // `reportDropped` below writes to this sink.
    if (this.isDraining) return;
    this.isDraining = true;
    const before = this.queuedBytes;
    try {
      for (;;) {
        if (this.queue.length === 0) this.reportDropped();
        if (this.queue.length === 0) break;
        this.target ??= this.open();
        this.target.prepare?.();
        this.take(writeSync(this.target.fd, this.nextPiece(this.target.isPipe ? atomicBytes : largestPieceBytes)));
      }
      this.isBroken = false;
      this.retryMs = 0;
      this.dueAt = 0;
      clearTimeout(this.timer);
      this.timer = undefined;
      forget(this);
      if (this.isClosed) this.letGo();
    } catch (error) {
      this.block(error as NodeJS.ErrnoException, this.queuedBytes < before);
    }
    this.isDraining = false;
  }

  private nextPiece(limitBytes: number): Uint8Array {
    const first = this.queue[0]!.subarray(this.offset);
    let size = first.length;
    let count = 1;
    for (; count < this.queue.length; count++) {
      const more = this.queue[count]!.length;
      if (size + more > limitBytes) break;
      size += more;
    }
    return count === 1 ? first : Buffer.concat([first, ...this.queue.slice(1, count)], size);
  }

  private take(written: number): void {
    this.queuedBytes -= written;
    let done = 0;
    let left = written + this.offset;
    while (done < this.queue.length && left >= this.queue[done]!.length) left -= this.queue[done++]!.length;
    this.queue.splice(0, done);
    this.offset = left;
  }

  private block(error: NodeJS.ErrnoException, hasProgressed: boolean): void {
    const isFull = error.code === 'EAGAIN' || error.code === 'EINTR';
    const longestMs = longestRetryMs[isFull ? 'full' : 'broken'];
    this.retryMs = hasProgressed ? 1 : Math.min(Math.max(this.retryMs * 2, 1), longestMs);
    this.dueAt = clock() + this.retryMs;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.wait();
    this.isBroken = !isFull;
    if (isFull || clock() - this.failureSaidAt < failureEveryMs) return;
    this.failureSaidAt = clock();
    this.onFailure?.(error);
  }

  private wait(): void {
    remember(this);
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.drain();
      },
      Math.max(0, this.dueAt - clock()),
    ).unref();
  }
}

const sleepCell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const pending = new Set<Sink>();
let isExiting = false;

/** The listener exists only while lines wait, so that an embedding program keeps no listener of ours. */
function remember(sink: Sink): void {
  if (pending.size === 0) process.on('exit', flushPending);
  pending.add(sink);
}

function forget(sink: Sink): void {
  if (pending.delete(sink) && pending.size === 0) process.off('exit', flushPending);
}

function flushPending(): void {
  isExiting = true;
  const deadline = clock() + exitFlushMs;
  for (const sink of pending) sink.flush(Math.max(0, deadline - clock()));
}
