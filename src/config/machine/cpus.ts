/**
 * How many CPUs this process may use: those that it may run on, and what its control groups leave of their time. A
 * container that is limited to half of one CPU on a machine with 64 is to have one worker, not 64.
 */

import { availableParallelism } from 'node:os';
import { type GroupFolder, groupFolders, type ReadText, readIfThere } from './cgroups.ts';

/**
 * Rounded up, at least 1.
 * @param affinity how many CPUs the process may run on
 */
export function usableCpus(readText: ReadText = readIfThere, affinity: number = availableParallelism()): number {
  // Every group up to the root limits those below.
  const limits = groupFolders('cpu', readText).map((folder) => limitOf(folder, readText));
  return Math.max(1, Math.min(affinity, Math.ceil(Math.min(...limits))));
}

/** In CPUs; Infinity for no limit. */
function limitOf({ version, path }: GroupFolder, readText: ReadText): number {
  if (version === 2) return quotaV2(readText(`${path}/cpu.max`));
  return quota(readText(`${path}/cpu.cfs_quota_us`), readText(`${path}/cpu.cfs_period_us`));
}

/** `QUOTA PERIOD`, or `max PERIOD` for no limit. */
function quotaV2(text: string | undefined): number {
  const [most, period] = text?.trim().split(' ') ?? [];
  return quota(most, period);
}

/** Both in microseconds. Version 1 says -1 where there is no limit. */
function quota(most: string | undefined, period: string | undefined): number {
  const cpus = Number(most) / Number(period);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}
