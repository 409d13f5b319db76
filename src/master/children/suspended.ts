/** Whether somebody has stopped a process, by a signal or a debugger: then it is not hung. Known on Linux only. */

import { readFileSync } from 'node:fs';

export function isSuspended(pid: number): boolean {
  try {
    // proc_pid_stat(5): the state follows the name, which is in parentheses and may hold any character.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^\) [Tt]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    return false;
  }
}
