/** What Linux says of a process and its children: CPU time and resident memory. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ, the unit of CPU times in /proc, is 100 on every Linux. */
const tickMs = 10;

/**
 * A process and all that descend from it.
 * @param {number} pid
 * @returns {number[]}
 */
export function processTree(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

/**
 * Processes whose environment names this folder, wherever they descend from.
 * @param {string} folder
 * @returns {number[]}
 */
export function processesOf(folder) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isOf(pid, folder));
}

/** @param {number} pid @param {string} folder */
export function isOf(pid, folder) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(folder);
  } catch {
    // It has ended.
    return false;
  }
}

/**
 * CPU time of a process and its children so far, in milliseconds.
 * @param {number} pid
 */
export function cpuMs(pid) {
  return cpuMsOf(processTree(pid));
}

/** CPU time of these processes so far, in milliseconds. @param {readonly number[]} pids */
export function cpuMsOf(pids) {
  let ticks = 0;
  for (const member of pids) {
    const stat = readFileSync(`/proc/${member}/stat`, 'latin1');
    // After the name, which may hold anything, from the third field on: utime is the 14th, stime the 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * tickMs;
}

/** CPU time of all children of this process that have ended, in milliseconds. */
export function endedChildrenCpuMs() {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * tickMs;
}

/**
 * How long a core has been busy, for whomever, in milliseconds.
 * @param {number} core
 */
export function coreBusyMs(core) {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '';
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) * tickMs;
}

/**
 * Resident memory of one process, in bytes.
 * @param {number} pid
 * @param {'VmRSS' | 'VmHWM'} [which] now, or the most it ever was
 */
export function residentBytes(pid, which = 'VmRSS') {
  const [, kilobytes] =
    new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  // One that has ended and is not reaped yet has no memory.
  if (kilobytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kilobytes) * 1024;
}

/**
 * The part of it that a process shares with no other, in bytes (proc(5), smaps_rollup).
 * @param {number} pid
 */
export function privateBytes(pid) {
  const fields = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1').matchAll(/^Private_\w+:\s+(\d+) kB$/gm);
  return Array.from(fields, ([, kilobytes]) => Number(kilobytes) * 1024).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Its memory, where each page counts in part for each of the processes that share it, in bytes (proc(5), smaps_rollup).
 * @param {number} pid
 */
export function proportionalBytes(pid) {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kilobytes) * 1024;
}

/** From here on, VmHWM counts anew (proc(5), clear_refs). */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/**
 * Files that a process has open, its connections among them.
 * @param {number} pid
 */
export function openFiles(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** With -9. @param {number | undefined} pid @returns {boolean} whether it was there */
export function kill(pid) {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
    return false;
  }
}
