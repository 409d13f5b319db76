/** What is known of a file without reading it: two fingerprints differ if it was saved, replaced, made or removed in between. */

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';

export interface Fingerprint {
  readonly text: string;
  /** There is no file, or nothing in it: a save may be under way. */
  readonly isEmpty: boolean;
  /** When it was last written, in milliseconds since 1970; 0 where there is no file. */
  readonly writtenAt: number;
}

export function fingerprintOf(path: string): Fingerprint {
  const found = stat(path);
  if (found?.isFile() !== true) return { text: `none:${namesakes(path)}`, isEmpty: true, writtenAt: 0 };
  const { mtimeMs, size, ino } = found;
  return { text: `${mtimeMs}:${size}:${ino}`, isEmpty: size === 0, writtenAt: mtimeMs };
}

/** A file that cannot be looked at counts as gone: the app will say what it cannot read. */
function stat(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** An import may lack the extension of its file, or have that of its build. */
function namesakes(path: string): string {
  const stem = stemOf(basename(path));
  try {
    return readdirSync(dirname(path))
      .filter((name) => stemOf(name) === stem)
      .sort()
      .join('/');
  } catch {
    return '';
  }
}

export function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}
