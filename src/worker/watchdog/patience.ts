/** Waits for another thread. The limit grows by the time that the other thread waits for a processor. */

import { readFileSync } from 'node:fs';
// Not the globals, which an app may replace.
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
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
  readonly timers?: Timers;
}

interface Timers {
  setTimeout(callback: () => void, ms: number): NodeJS.Timeout;
  clearTimeout(timer: NodeJS.Timeout): void;
}

/** Why a thread has not answered. */
export interface Silence {
  readonly ms: number;
  /** For how long of it the thread waited for a processor. */
  readonly starvedMs: number;
}

/** A thread that had a processor for most of the time is in native code; otherwise the machine is too busy. */
export function explainSilence({ ms, starvedMs }: Silence): string {
  const seconds = (value: number) => (value / 1000).toFixed(1);
  return starvedMs >= ms / 2
    ? `it got no processor for ${seconds(starvedMs)} of ${seconds(ms)} s: the machine is too busy`
    : 'in native code: no JavaScript answers';
}

/** @param onEnd called once, unless the returned function was called before */
export function wait(
  { ms, mostMs, waitedMs, now = () => performance.now(), timers = { setTimeout, clearTimeout } }: PatienceOptions,
  onEnd: (silence: Silence) => void,
): () => void {
  const startedAt = now();
  const waitedBefore = waitedMs();
  const check = () => {
    const goneMs = now() - startedAt;
    const starvedMs = waitedMs() - waitedBefore;
    const left = Math.min(ms + starvedMs, mostMs) - goneMs;
    if (left < 1) onEnd({ ms: goneMs, starvedMs });
    else timer = timers.setTimeout(check, Math.ceil(left));
  };
  let timer = timers.setTimeout(check, ms);
  return () => timers.clearTimeout(timer);
}
