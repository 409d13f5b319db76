/**
 * Whether a process is a master of tsgun. The system reuses process ids: after a crash or a restart of the system,
 * the one in a pidfile may be that of any program.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';

/** Every master has such a title, after the name that `--proc-name` gives it. */
const titleForm = /: master \[/;

/**
 * @param pid of a process that runs
 * @param pidfile the file with this pid; its master holds it open
 * @returns true also if nothing is known, as without /proc: then the file is better left alone
 */
export function isMaster(pid: number, pidfile: string): boolean {
  try {
    return titleForm.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')) || holdsOpen(pid, pidfile);
  } catch {
    return true;
  }
}

/** A title can be cut short, or set by a config module. */
function holdsOpen(pid: number, path: string): boolean {
  const file = statSync(path);
  return openFiles(pid).some((descriptor) => {
    const found = statSync(descriptor, { throwIfNoEntry: false });
    return found?.dev === file.dev && found.ino === file.ino;
  });
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    // It belongs to another user: only its title can be read.
    return [];
  }
}
