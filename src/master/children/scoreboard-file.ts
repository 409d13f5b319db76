/** The scoreboard on which workers tell each other how many connections they hold: opens it, and gives out the slots. */

import type { Slot } from '../../ipc/scoreboard.ts';
import { openNamelessFile } from '../nameless-file.ts';

let opened: number | undefined;
const taken = new Set<number>();

/** The lowest free slot; undefined if no file can be made: then workers are not balanced. */
export function claimSlot(): Slot | undefined {
  opened ??= openNamelessFile();
  if (opened === undefined) return undefined;
  let index = 0;
  while (taken.has(index)) index++;
  taken.add(index);
  return { fd: opened, index };
}

export function releaseSlot({ index }: Slot): void {
  taken.delete(index);
}
