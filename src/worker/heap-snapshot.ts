/**
 * Writes a full snapshot of the heap, of a worker that no longer serves: V8 stops the process meanwhile, and needs about as
 * much memory again as the heap.
 */

import { mkdtempSync, statSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics, writeHeapSnapshot } from 'node:v8';

export interface Memory {
  readonly heapBytes: number;
  /** What this process can still allocate, within the limits of its control group. */
  readonly freeBytes: number;
}

/** This many times the heap's size must be free. */
const factor = 2;

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** @returns why no snapshot is taken; undefined if one may be taken */
export function snapshotRefusal(isThreaded: boolean, { heapBytes, freeBytes } = memoryNow()): string | undefined {
  if (isThreaded)
    return 'in the threaded class the app is in threads, and a snapshot would be of the thread that does the I/O: take one in the async class';
  if (freeBytes >= factor * heapBytes) return undefined;
  return `a snapshot needs twice the heap of ${mebibytes(heapBytes)}, and only ${mebibytes(freeBytes)} are free: without --snapshot, samples need next to nothing`;
}

function memoryNow(): Memory {
  const { used_heap_size: heapBytes } = getHeapStatistics();
  // It counts the limits of control groups. Node 20.13 has it; the types of Node 20 do not.
  const { availableMemory } = process as { availableMemory?: () => number };
  return { heapBytes, freeBytes: availableMemory?.() ?? freemem() };
}

/**
 * Writes to a new folder that only this user can enter, because a heap holds everything that the app knows. Blocks until it is
 * written.
 */
export function writeSnapshot(worker: number): { path: string; bytes: number } {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-heap-'));
  const path = writeHeapSnapshot(join(folder, `worker-${worker}-${process.pid}.heapsnapshot`));
  return { path, bytes: statSync(path).size };
}
