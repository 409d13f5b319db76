/** Finds out whether a program still has work: timers, sockets, child processes. */

import { setImmediate } from 'node:timers/promises';

/** What keeps the process, or the thread, from its end, beside what did so before the program. */
export class Pending {
  private readonly before = countResources();
  private readonly held: () => number;

  /** @param held timers that are tsgun's own */
  constructor(held: () => number) {
    this.held = held;
  }

  /** Whether there is nothing. Work of a native addon does not show: then it is only likely. */
  async isNone(): Promise<boolean> {
    await setImmediate();
    const now = countResources();
    now.set('Timeout', (now.get('Timeout') ?? 0) - this.held());
    return [...now].every(([type, count]) => count <= (this.before.get(type) ?? 0));
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
