/** Waits for another thread. The limit grows by the time that the other thread waits for a processor. */

import { readFileSync } from 'node:fs';
import { waitOf } from '../../ipc/cpu-wait.ts';

/** How long the main thread has waited for a processor so far. */
export const mainThreadWaitMs = () => threadWaitMs(process.pid);

/** Whether it runs, or waits for a processor. Known on Linux only. */
export function isMainThreadRunning(): boolean {
  try {
    // proc_pid_stat(5): the state follows the name, which is in parentheses and may hold any character.
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] === 'R';
  } catch {
    return false;
  }
}

/** @param id the system's number of a thread of this process */
export const threadWaitMs = (id: number) => waitOf(`/proc/self/task/${id}/schedstat`);

export interface PatienceOptions {
  readonly ms: number;
  /** The longest in all. */
  readonly mostMs: number;
  /** How long the other thread has waited for a processor so far. */
  readonly waitedMs: () => number;
  readonly now?: () => number;
}

/** @param onEnd called once, unless the returned function was called before */
export function wait(
  { ms, mostMs, waitedMs, now = () => performance.now() }: PatienceOptions,
  onEnd: () => void,
): () => void {
  const startedAt = now();
  const waitedBefore = waitedMs();
  const leftMs = () => {
    const goneMs = now() - startedAt;
    return Math.min(ms + waitedMs() - waitedBefore, mostMs) - goneMs;
  };
  const check = () => {
    const left = leftMs();
    if (left < 1) onEnd();
    else timer = setTimeout(check, Math.ceil(left));
  };
  let timer = setTimeout(check, ms);
  return () => clearTimeout(timer);
}
