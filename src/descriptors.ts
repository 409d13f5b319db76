/**
 * File descriptors: how many this process may hold, whether some are free, and which errors mean that none is. A connection, an
 * open file, a pipe and a child's standard streams each take at least one.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';

/** For a log line: how an operator raises the limit. */
export const limitRemedy = 'raise it with ulimit -n, LimitNOFILE= (systemd) or --ulimit nofile= (Docker)';

/** With fewer, not even the command can be loaded. */
export const leastDescriptors = 40;

/**
 * The soft limit, which Node raises to the hard one when it starts (getrlimit(2), RLIMIT_NOFILE); undefined where there is
 * none, or it cannot be found out.
 */
export function descriptorLimit(readText: (path: string) => string = readProc): number | undefined {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readText('/proc/self/limits'))?.[1];
    return soft === undefined ? undefined : parseLimit(soft);
  } catch {
    return process.platform === 'linux' ? undefined : limitOfShell();
  }
}

function readProc(path: string): string {
  return readFileSync(path, 'latin1');
}

/** Where there is no `/proc`: a child has the limits of its parent. */
function limitOfShell(): number | undefined {
  try {
    return parseLimit(execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'latin1', timeout: 1000 }).trim());
  } catch {
    return undefined;
  }
}

function parseLimit(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** How many are open now; undefined where the system does not list them. */
export function openDescriptorCount(): number | undefined {
  try {
    // One of them is of the listing itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/** Why none is free. EMFILE: this process has reached its limit. ENFILE: the system has. */
export type DescriptorError = 'EMFILE' | 'ENFILE';

/**
 * Tries to open `wanted` descriptors, at 2 µs each.
 * @returns undefined where that many are free
 */
export function missingDescriptors(wanted: number): DescriptorError | undefined {
  const taken: number[] = [];
  try {
    while (taken.length < wanted) taken.push(openSync(devNull, 'r'));
  } catch (error) {
    // Anything else, such as a sandbox without this file, says nothing about descriptors.
    return descriptorError(error);
  } finally {
    for (const fd of taken) closeSync(fd);
  }
  return undefined;
}

/** @returns undefined for an error of another kind */
export function descriptorError(error: unknown): DescriptorError | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return error.code;
  // A thread that cannot start says the reason in its message only.
  if (error.code !== 'ERR_WORKER_INIT_FAILED' || !('message' in error)) return undefined;
  return (['EMFILE', 'ENFILE'] as const).find((code) => String(error.message).includes(code));
}

/** A worker opens some after it has counted: the thread of its watchdog has 5, and some are always on the move. */
const openedLater = 8;
/** The least share of all descriptors that is left to the app, for its files and its own connections. */
const partOfApp = 1 / 4;

/**
 * How many connections a worker can hold at once.
 * @param wanted `--worker-connections`
 * @param limit the descriptors that it may hold
 * @param open those that it holds without any connection
 * @returns at least 1
 */
export function connectionCapacity(wanted: number, limit: number | undefined, open: number | undefined): number {
  if (limit === undefined || open === undefined) return wanted;
  const free = limit - open - openedLater;
  // Where the limit is low, the app has half of what is left.
  const room = Math.floor(free - Math.min(limit * partOfApp, free / 2));
  return Math.max(1, Math.min(wanted, room));
}
