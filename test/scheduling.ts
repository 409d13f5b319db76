/** Time on a machine that has other things to do. */

import { readFileSync } from 'node:fs';

/** How long a process has waited for a processor so far, in milliseconds (proc(5)). Undefined where that cannot be known. */
export function waitedMs(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return undefined;
  }
}

/** How often the waits are looked at: a process that has ended tells of none. */
const lookMs = 20;

/** How many milliseconds it takes, without those in which these processes, or this one, waited for a processor. */
export async function timeOf(pids: readonly number[], act: () => Promise<unknown>): Promise<number> {
  const all = [process.pid, ...pids];
  const before = all.map((pid) => waitedMs(pid) ?? 0);
  let latest = before;
  const look = () => {
    latest = all.map((pid, index) => waitedMs(pid) ?? latest[index]!);
  };
  const timer = setInterval(look, lookMs);
  const since = performance.now();
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  const tookMs = performance.now() - since;
  look();
  return latest.reduce((left, waited, index) => left - (waited - before[index]!), tookMs);
}
