/**
 * The folder for what is kept between starts, in the user's own place on disk, or not at all: in a folder that others may
 * write to, they could put code there.
 */

import { existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

let known: { readonly path: string; readonly directory: string | undefined } | undefined;

/** Made if it is missing. Looked up again after a worker has become another user, with another home. */
export function userCache(): string | undefined {
  const path = userCachePath();
  if (path === undefined) return undefined;
  if (known?.path !== path) known = { path, directory: makeOwn(path) ? path : undefined };
  return known.directory;
}

/** Undefined for a user without a home. */
export function userCachePath(): string | undefined {
  try {
    return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tsgun');
  } catch {
    return undefined;
  }
}

/** @returns whether the folder is there now, belongs to this user, and nobody else may write to it */
export function makeOwn(path: string): boolean {
  try {
    // Not `recursive`: below /proc, Node would try for ever.
    for (const folder of [dirname(path), path]) if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    return isOwn(path);
  } catch {
    return false;
  }
}

/** @throws the system's error */
export function isOwn(path: string): boolean {
  const { uid, mode } = statSync(path);
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
}
