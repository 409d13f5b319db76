/**
 * `process.chdir` in a thread, where Node always refuses it. Programs that change to their own folder when they start, such as
 * Next's standalone server, are mostly in it already; then the call does nothing. A change to any other folder stays an error,
 * because the directory belongs to the process.
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
