/**
 * How long a process was ready to run and got no processor: on a machine that is too busy, a silence has another cause than a
 * hang. Known on Linux only.
 */

import { readdirSync, readFileSync } from 'node:fs';

/** @returns milliseconds of all its threads together, so far; 0 where they are not known */
export function cpuWaitMs(pid: number | 'self'): number {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).reduce((sum, thread) => sum + waitOf(`${tasks}/${thread}/schedstat`), 0);
  } catch {
    return 0;
  }
}

/** Of one thread (proc_pid_schedstat: time on a processor, time of waiting for one, both in nanoseconds). */
export function waitOf(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
