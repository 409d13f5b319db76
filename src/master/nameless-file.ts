/** A file that the master shares with its workers by descriptor. It has no name, and vanishes with the last process that has it open. */

import { openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In memory if there is such a folder: these files are written many times a second. */
const folders = ['/dev/shm', tmpdir()];

/** @returns its descriptor; undefined if no folder takes it */
export function openNamelessFile(): number | undefined {
  for (const folder of folders) {
    const path = join(folder, `tsgun-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch {
      // Try the next folder.
    }
  }
  return undefined;
}
