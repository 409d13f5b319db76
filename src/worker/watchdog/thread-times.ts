/**
 * How much CPU time each thread of the process has taken since a moment in the past. It reads the system's figures from time to
 * time, so it costs a request nothing. Linux only.
 */

import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds of CPU time so far, by the system's number of the thread. */
export type Times = ReadonlyMap<number, number>;

interface Look {
  readonly at: number;
  readonly times: Times;
}

/** The most readings that are kept; older ones are thinned out. */
const maxLooks = 256;
const shortestMs = 200;

export class ThreadTimes {
  private looks: Look[] = [];
  private readonly read: () => Times;

  /** @param read those of the threads that may be asked about: each is a file to read */
  constructor(read: () => Times = readAllThreads) {
    this.read = read;
  }

  /** Called several times a second while a request runs. @param now as `performance.now()` says it */
  look(now: number): void {
    const { looks } = this;
    if (now - (looks.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < shortestMs) return;
    looks.push({ at: now, times: this.read() });
    if (looks.length <= maxLooks) return;
    const half = looks.length / 2;
    this.looks = looks.filter((_, index) => index >= half || index % 2 === 0);
  }

  /** @returns for each thread its CPU time in the last `ms` milliseconds, in milliseconds, exact to a quarter of a second */
  since(ms: number, now: number): (thread: number) => number | undefined {
    const times = this.read();
    const startedAt = now - ms;
    const index = this.looks.findIndex(({ at }) => at >= startedAt);
    const after = index === -1 ? { at: now, times } : this.looks[index]!;
    const before = index === -1 ? this.looks.at(-1) : this.looks[index - 1];
    return (thread) => {
      const whole = times.get(thread);
      const then = after.times.get(thread) ?? 0;
      if (whole === undefined) return undefined;
      // Between two readings, it counts as having run as late as possible: a thread that waits for a request runs once that
      // comes.
      const earlierMs = (then - (before?.times.get(thread) ?? 0)) / 1e6;
      return Math.round((whole - then) / 1e6 + Math.max(0, Math.min(earlierMs, after.at - startedAt)));
    };
  }
}

export function readAllThreads(): Times {
  const times = new Map<number, number>();
  try {
    for (const thread of readdirSync('/proc/self/task')) times.set(Number(thread), readTime(thread));
  } catch {
    // Not Linux, or a thread has just ended: the next reading sees the others.
  }
  return times;
}

/** The one that has the number of the process. */
export function readMainThread(): Times {
  try {
    return new Map([[process.pid, readTime(String(process.pid))]]);
  } catch {
    return new Map();
  }
}

function readTime(thread: string): number {
  const text = readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1');
  return Number(text.slice(0, text.indexOf(' ')));
}
