/**
 * A full snapshot of the heap, of a worker that serves no more: V8 stops the process for it, and needs about as much memory
 * again as the heap has.
 */

import { mkdtempSync, statSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics, writeHeapSnapshot } from 'node:v8';

export interface Memory {
  readonly heapBytes: number;
  /** What this process can still take, limits of its control group included. */
  readonly freeBytes: number;
}

/** How much of the heap's size must be free. */
const factor = 2;

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** @returns why there is to be none; undefined if there may be one */
export function snapshotRefusal(isThreaded: boolean, { heapBytes, freeBytes } = memoryNow()): string | undefined {
  if (isThreaded)
    return 'in the threaded class the app is in threads, and a snapshot would be of the thread that does the I/O: take one in the async class';
  if (freeBytes >= factor * heapBytes) return undefined;
  return `a snapshot needs twice the heap of ${mebibytes(heapBytes)}, and only ${mebibytes(freeBytes)} are free: without --snapshot, samples need next to nothing`;
}

function memoryNow(): Memory {
  const { used_heap_size: heapBytes } = getHeapStatistics();
  // Counts the limits of control groups; not there before Node 20.13, and in the types of Node 20.
  const { availableMemory } = process as { availableMemory?: () => number };
  return { heapBytes, freeBytes: availableMemory?.() ?? freemem() };
}

/** In a new folder that only this user can enter: a heap holds all that the app knows. Returns when it is written. */
export function writeSnapshot(worker: number): { path: string; bytes: number } {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-heap-'));
  const path = writeHeapSnapshot(join(folder, `worker-${worker}-${process.pid}.heapsnapshot`));
  return { path, bytes: statSync(path).size };
}
