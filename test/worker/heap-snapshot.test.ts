import { describe, expect, it } from 'vitest';
import { snapshotRefusal } from '../../src/worker/heap-snapshot.ts';

const mebibyte = 2 ** 20;

describe('a heap snapshot', () => {
  it('needs twice the heap free', () => {
    const memory = (freeMib: number) => ({ heapBytes: 100 * mebibyte, freeBytes: freeMib * mebibyte });
    expect(snapshotRefusal(false, memory(200))).toBeUndefined();
    expect(snapshotRefusal(false, memory(199))).toContain('twice the heap of 100 MiB, and only 199 MiB are free');
  });

  it('is not taken of a thread that does not run the app', () => {
    expect(snapshotRefusal(true, { heapBytes: 1, freeBytes: 1000 })).toContain(
      'in the threaded class the app is in threads',
    );
  });
});
