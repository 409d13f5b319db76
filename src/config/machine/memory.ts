/** How much memory this process may still take: what the machine has, and what its control groups leave of it. */

import { freemem } from 'node:os';
import { type GroupFolder, groupFolders, type ReadText, readIfThere } from './cgroups.ts';

/** In bytes. */
export function freeMemory(readText: ReadText = readIfThere, machine: number = machineFree(readText)): number {
  const left = groupFolders('memory', readText).map((folder) => leftIn(folder, readText));
  return Math.max(0, Math.min(machine, ...left));
}

/** With what the system can take back from its caches, proc(5). */
function machineFree(readText: ReadText): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo') ?? '')?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

/** Infinity for no limit. Caches that can be taken back are not counted as used. */
function leftIn({ version, path }: GroupFolder, readText: ReadText): number {
  const [limitFile, usedFile, cacheName] =
    version === 2
      ? ['memory.max', 'memory.current', 'inactive_file']
      : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
  const limit = Number(readText(`${path}/${limitFile}`)?.trim() || Number.NaN);
  const used = Number(readText(`${path}/${usedFile}`)?.trim() || Number.NaN);
  if (Number.isNaN(limit) || Number.isNaN(used)) return Number.POSITIVE_INFINITY;
  const cache = new RegExp(`^${cacheName} (\\d+)$`, 'm').exec(readText(`${path}/memory.stat`) ?? '')?.[1];
  return limit - used + Number(cache ?? 0);
}
