/**
 * The working directory, as the user named it. A deploy may move a symbolic link, or delete the directory and make it again,
 * while the process stays in the old one. So every reload enters it by its name again.
 */

import { statSync } from 'node:fs';
import { ConfigError } from '../errors.ts';

/**
 * The name by which this process's directory was entered: `$PWD`, which keeps symbolic links, where it names the same
 * directory (as gunicorn's `getcwd` does).
 */
export function startDirectory(named: string | undefined = process.env.PWD): string {
  const actual = currentDirectory();
  return named?.startsWith('/') && isSame(named, actual) ? named : actual;
}

/**
 * Makes a directory the working one.
 * @returns what it is without symbolic links
 * @throws ConfigError
 */
export function enterDirectory(path: string, setting = 'directory'): string {
  try {
    process.chdir(path);
    return process.cwd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ''] ?? `it cannot be entered: ${code}`;
    throw new ConfigError(`${setting}: expected a directory, got ${JSON.stringify(path)}: ${reason}`);
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'it is a file',
  EACCES: 'this user may not enter it',
};

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    throw new ConfigError('directory: the working directory has been deleted: start tsgun in one that is there');
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return left !== undefined && right !== undefined && left.ino === right.ino && left.dev === right.dev;
}
