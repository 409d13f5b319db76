// What a process holds open, for tests that look for leaks. Linux only.

import { readdirSync, readlinkSync } from 'node:fs';

/** The targets of a process's descriptors (paths, `socket:[inode]`). One that closes between the listing and the look at it is not open. */
export function openDescriptors(pid = process.pid): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}
