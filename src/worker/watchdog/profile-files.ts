/** Writes CPU profiles to files. A fixed number of names is used in turn, so that they never fill a disk. */

import { rmSync, writeFileSync } from 'node:fs';
import type { ThreadProfile } from '../../ipc/profiles.ts';
import { busiest } from './busiest.ts';

const count = 10;
/** Paths and names of an app are for its owner alone. */
const mode = 0o600;

export class ProfileFiles {
  private readonly beginning: string;
  private last = 0;

  /** @param beginning of each file's path */
  constructor(beginning: string) {
    this.beginning = beginning;
  }

  next(): string {
    this.last = (this.last % count) + 1;
    return `${this.beginning}-${this.last}.cpuprofile`;
  }

  /** Writes the profile of the busiest thread. If the disk is full or the folder missing, only this file is lost. */
  write(file: string, profiles: readonly ThreadProfile[]): void {
    const profile = busiest(profiles);
    if (profile === undefined) return;
    try {
      // In a folder that all may write to, a link of this name could be another user's.
      rmSync(file, { force: true });
      writeFileSync(file, JSON.stringify(profile), { flag: 'wx', mode });
    } catch {}
  }
}
