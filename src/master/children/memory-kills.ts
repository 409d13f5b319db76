/**
 * The kernel's own counts of processes that it killed for lack of memory. They say how many, not which: a child that ends
 * by SIGKILL as a count rises was most likely one of them.
 */

import { groupFolders, type ReadText, readIfThere } from '../../config/machine/cgroups.ts';

/** Whose count has risen: that of this service's control group, or that of the whole machine. */
export type MemoryKill = 'cgroup' | 'machine';

interface Counter {
  readonly kind: MemoryKill;
  readonly path: string;
}

/** A kill that no exit has claimed after this time, or at most twice as long, belongs to another process. */
const forgetMs = 5000;

export class MemoryKills {
  private readonly readText: ReadText;
  private readonly counter: Counter | undefined;
  /** Kills up to this count are claimed or have expired. */
  private known: number;
  /** A later count: kills up to it expire at the next check. */
  private next: number;
  private checkedAt = 0;

  constructor(readText: ReadText = readIfThere) {
    this.readText = readText;
    const counters: Counter[] = groupFiles(readText).map((path) => ({ kind: 'cgroup', path }));
    counters.push({ kind: 'machine', path: '/proc/vmstat' });
    this.counter = counters.find(({ path }) => countIn(readText(path)) !== undefined);
    this.known = this.next = this.read();
  }

  /** Called at every turn of the master's loop. */
  check(now: number): void {
    if (now - this.checkedAt < forgetMs) return;
    this.checkedAt = now;
    this.known = Math.max(this.known, this.next);
    this.next = this.read();
  }

  /** Claims one kill, if there is one that is not claimed yet. */
  take(): MemoryKill | undefined {
    if (this.read() <= this.known) return undefined;
    this.known++;
    return this.counter?.kind;
  }

  private read(): number {
    return (this.counter && countIn(this.readText(this.counter.path))) ?? 0;
  }
}

/** The process's own group comes first, and counts what was killed in it whoever ran out of memory. */
function groupFiles(readText: ReadText): string[] {
  return groupFolders('memory', readText).map(
    ({ version, path }) => `${path}/${version === 2 ? 'memory.events' : 'memory.oom_control'}`,
  );
}

function countIn(text: string | undefined): number | undefined {
  const [, count] = /^oom_kill (\d+)$/m.exec(text ?? '') ?? [];
  return count === undefined ? undefined : Number(count);
}
