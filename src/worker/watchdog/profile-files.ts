/** CPU profiles as files: a fixed number of names, used in turn, so that they never fill a disk. */

import { rmSync, writeFileSync } from 'node:fs';
import type { ThreadProfile } from '../../ipc/messages.ts';
import { busiest } from './busiest.ts';

const count = 10;
/** Paths and names of an app are its owner's business. */
const mode = 0o600;

export class ProfileFiles {
  private readonly beginning: string;
  private last = 0;

  /** @param beginning of each path */
  constructor(beginning: string) {
    this.beginning = beginning;
  }

  next(): string {
    this.last = (this.last % count) + 1;
    return `${this.beginning}-${this.last}.cpuprofile`;
  }

  /** The profile of the thread that was busiest; a full disk, or a folder that is gone, costs only this file. */
  write(file: string, profiles: readonly ThreadProfile[]): void {
    const profile = busiest(profiles);
    if (profile === undefined) return;
    try {
      // In a folder that is open to all, somebody else's link of this name must not be followed.
      rmSync(file, { force: true });
      writeFileSync(file, JSON.stringify(profile), { flag: 'wx', mode });
    } catch {}
  }
}
