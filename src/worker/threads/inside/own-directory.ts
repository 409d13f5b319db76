/**
 * `process.chdir` in a thread, where Node refuses it altogether: programs that make sure of their folder when they start, such as
 * Next's standalone server, mostly are in it already. Going anywhere else stays an error, as the directory is the process's.
 */

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

export function allowOwnDirectory(): void {
  const { chdir } = process;
  process.chdir = (directory) => {
    if (!isCurrent(directory)) chdir.call(process, directory);
  };
}

function isCurrent(directory: unknown): boolean {
  try {
    return typeof directory === 'string' && realpathSync(resolve(directory)) === realpathSync(process.cwd());
  } catch {
    return false;
  }
}
