/**
 * Reports each request that takes longer than `--slow-request` once, when that time has passed, with the place in its code. It
 * reads the table of running requests, so it costs a request nothing.
 */

import type { Slow } from '../../ipc/messages.ts';
import type { ThreadStack } from '../../ipc/profiles.ts';
import type { Examiner } from './examiner.ts';
import type { ProfileFiles } from './profile-files.ts';
import type { TableEntry } from './requests.ts';

export interface SlowOptions {
  readonly slowMs: number;
  readonly examiner: Pick<Examiner, 'stacks' | 'profiles'>;
  readonly files: Pick<ProfileFiles, 'next' | 'write'>;
  readonly read: () => readonly TableEntry[];
  readonly tell: (slow: Slow) => void;
}

/** The most requests in one report. Others are most likely slow for the same reason, and are in the next report. */
const maxAtOnce = 10;
/** The first stack of a thread takes longest, on a busy machine longer still. */
const stackMs = 1000;
const profileMs = 1000;
const profileEveryMs = 60_000;

/** A report is late by a tenth of the limit at most, unless the limit is very short. */
export function slowCheckMs(slowMs: number): number {
  return Math.min(Math.max(slowMs / 10, 20), 100);
}

export class SlowRequests {
  private readonly options: SlowOptions;
  /** The keys of running requests that were reported. */
  private reported = new Set<string>();
  private isLooking = false;
  private profiledAt = Number.NEGATIVE_INFINITY;

  constructor(options: SlowOptions) {
    this.options = options;
  }

  check(): void {
    const { read, slowMs } = this.options;
    // A raw connection may be open for any time.
    const slow = read().filter(({ ms, method }) => ms >= slowMs && method !== 'TCP');
    const fresh = slow.filter(({ key }) => !this.reported.has(key)).slice(0, this.isLooking ? 0 : maxAtOnce);
    const running = new Set(slow.map(({ key }) => key));
    this.reported = new Set([...this.reported].filter((key) => running.has(key)));
    for (const { key } of fresh) this.reported.add(key);
    if (fresh.length > 0) void this.report(fresh);
  }

  private async report(entries: readonly TableEntry[]): Promise<void> {
    this.isLooking = true;
    try {
      const { stacks } = await this.options.examiner.stacks(stackMs);
      // Not earlier: its question to the main thread runs as JavaScript, and would be what the stack shows.
      const file = this.beginProfile();
      for (const { method, path, ms } of entries)
        this.options.tell({
          type: 'slow',
          method,
          path,
          ms,
          stack: stackOf(`${method} ${path}`, stacks),
          ...(file === undefined ? {} : { profile: file }),
        });
    } finally {
      this.isLooking = false;
    }
  }

  /** @returns the file that will hold it a second later */
  private beginProfile(): string | undefined {
    const now = performance.now();
    if (now - this.profiledAt < profileEveryMs) return undefined;
    this.profiledAt = now;
    const { examiner, files } = this.options;
    const file = files.next();
    // The log line was most likely written already. Someone who looks for the file finds none.
    examiner.profiles(profileMs).then(
      ({ profiles }) => files.write(file, profiles),
      // None was taken: the next slow request may have one.
      () => {
        this.profiledAt = Number.NEGATIVE_INFINITY;
      },
    );
    return file;
  }
}

/** The stack of the thread that runs this request; if none does, that of the main thread. */
function stackOf(request: string, stacks: readonly ThreadStack[]): string {
  return (stacks.find((each) => each.request === request) ?? stacks[0])?.stack ?? '';
}
