/**
 * A standard stream whose descriptor other processes share, such as a socket of the service manager. Whether writes block is
 * one flag for all of them. Node sets it when it opens the stream. Starting a child that inherits the descriptor clears it,
 * and so does the end of a Node process, which puts back what it found at its start. Another process that is about to write
 * at that moment would be blocked until somebody reads.
 */

import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { beforeRealExit } from './real-exit.ts';

interface Handle {
  setBlocking?(isBlocking: boolean): unknown;
}

/** @returns a function to call before each write. If Node offers no way, writes may block */
export function keepNonBlocking(stream: NodeJS.WriteStream): () => void {
  const handle: unknown = Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null) return () => {};
  return () => void (handle as Handle).setBlocking?.(false);
}

let isLeft = false;

/**
 * From now on the end of this process leaves the flag as it is. Node puts nothing back where it finds another file than at
 * its start. That is put there at the last moment, after all that is still written.
 */
export function leaveFlagsAtExit(): void {
  if (isLeft) return;
  isLeft = true;
  beforeRealExit(() => {
    for (const fd of [1, 2]) letGo(fd);
  });
}

function letGo(fd: number): void {
  try {
    const kind = fstatSync(fd);
    if (!kind.isSocket() && !kind.isFIFO()) return;
    closeSync(fd);
    // It takes the lowest free number, which is this one.
    openSync(devNull, 'w');
  } catch {
    // Node leaves a descriptor that is closed alone, too.
  }
}
