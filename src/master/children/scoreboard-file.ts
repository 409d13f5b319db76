/** The board on which workers tell each other how many connections they hold: opens it, and gives out the places. */

import { openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../ipc/scoreboard.ts';

/** In memory where there is such a place: it is written thousands of times a second. */
const folders = ['/dev/shm', tmpdir()];

let opened: number | undefined;
const taken = new Set<number>();

/** The lowest place that is free; undefined where no file can be made: then workers do without. */
export function claimPlace(): Place | undefined {
  opened ??= openBoard();
  if (opened === undefined) return undefined;
  let slot = 0;
  while (taken.has(slot)) slot++;
  taken.add(slot);
  return { fd: opened, slot };
}

export function releasePlace({ slot }: Place): void {
  taken.delete(slot);
}

function openBoard(): number | undefined {
  for (const folder of folders) {
    const path = join(folder, `tsgun-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      // Nobody opens it by its name, and it goes with the last that has it open.
      unlinkSync(path);
      return fd;
    } catch {
      // The next folder, then.
    }
  }
  return undefined;
}
