/** The scoreboard on which workers tell each other how many connections they hold: opens it, and gives out the slots. */

import { openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Slot } from '../../ipc/scoreboard.ts';

/** In memory if there is such a folder: the file is written thousands of times a second. */
const folders = ['/dev/shm', tmpdir()];

let opened: number | undefined;
const taken = new Set<number>();

/** The lowest free slot; undefined if no file can be made: then workers are not balanced. */
export function claimSlot(): Slot | undefined {
  opened ??= openScoreboard();
  if (opened === undefined) return undefined;
  let index = 0;
  while (taken.has(index)) index++;
  taken.add(index);
  return { fd: opened, index };
}

export function releaseSlot({ index }: Slot): void {
  taken.delete(index);
}

function openScoreboard(): number | undefined {
  for (const folder of folders) {
    const path = join(folder, `tsgun-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      // Nobody opens the file by its name; without a name, it vanishes with the last process that has it open.
      unlinkSync(path);
      return fd;
    } catch {
      // Try the next folder.
    }
  }
  return undefined;
}
