/**
 * How many CPUs this process may use: those that it may run on, and what its control groups leave of their time. A
 * container that is limited to half of one CPU on a machine with 64 is to have one worker, not 64.
 */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** A file's text, or undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/**
 * Rounded up, at least 1.
 * @param affinity how many CPUs the process may run on
 */
export function usableCpus(readText: ReadText = readIfThere, affinity: number = availableParallelism()): number {
  const groups = (readText('/proc/self/cgroup') ?? '').split('\n');
  const limits = groups.flatMap((line) => limitsOf(line, readText));
  return Math.max(1, Math.min(affinity, Math.ceil(Math.min(...limits))));
}

/**
 * The limits along one line of `/proc/self/cgroup`, `ID:CONTROLLERS:PATH` (cgroups(7)), in CPUs. Every group up to the
 * root limits those below. In a container the path may be one of the host's, where nothing is: the root is its own group.
 */
function limitsOf(line: string, readText: ReadText): number[] {
  const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  if (controllers === undefined || path === undefined) return [];
  const groups = upwards(path);
  if (controllers === '') return groups.map((group) => quotaV2(readText(`/sys/fs/cgroup${group}/cpu.max`)));
  if (!controllers.split(',').includes('cpu')) return [];
  return ['cpu', controllers].flatMap((mount) =>
    groups.map((group) => {
      const read = (name: string) => readText(`/sys/fs/cgroup/${mount}${group}/cpu.cfs_${name}_us`);
      return quota(read('quota'), read('period'));
    }),
  );
}

/** `/a/b` → `/a/b`, `/a`, and the root as the empty text. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return [...names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`), ''];
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

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
