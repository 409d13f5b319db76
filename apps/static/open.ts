/** From a request's path to an open file. Nothing outside the root is ever handed out; what is sent, and how, is not known here. */

import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** The receiver closes the handle. */
export interface OpenFile {
  readonly handle: FileHandle;
  /** Of the handle, not of the path: a path may have become another file since. */
  readonly stats: Stats;
}

/** Segments that begin with a dot are `..` and `.` as well as hidden files: none of them is served. */
const plainPath = /^(?:\/[^/\\\p{Cc}.][^/\\\p{Cc}]*)*\/?$/u;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Errors of the file system for a path without a file, or without one that we may read. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ENXIO']);

/**
 * A PATH_INFO, whose characters are bytes (PEP 3333, "Unicode Issues"), as text. It was percent-decoded once, and once is
 * all: `%252e` is a file with a percent sign in its name.
 * @returns undefined for text that cannot be a file's path here
 */
export function decodePath(pathInfo: string): string | undefined {
  try {
    const path = utf8.decode(Buffer.from(pathInfo, 'latin1'));
    return plainPath.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a file or directory below a root. First it is opened, then its place is looked up, so that nobody can swap it in between.
 * @param root as `realpath` gives it
 * @returns undefined if there is no such file, or if a symbolic link leads out of the root
 */
export async function openInside(root: string, path: string): Promise<OpenFile | undefined> {
  const handle = await openIfPresent(join(root, path));
  if (handle === undefined) return undefined;
  let isServable = false;
  try {
    const [stats, place] = await Promise.all([handle.stat(), placeOf(handle, join(root, path))]);
    isServable = (stats.isFile() || stats.isDirectory()) && isInside(root, place);
    return isServable ? { handle, stats } : undefined;
  } finally {
    if (!isServable) await handle.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for somebody to write into it.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Where an open file is, links resolved. Linux knows it of the file itself; elsewhere it is asked of the path. */
async function placeOf(handle: FileHandle, path: string): Promise<string> {
  return readlink(`/proc/self/fd/${handle.fd}`).catch(() => realpath(path));
}

function isInside(root: string, place: string): boolean {
  return relative(root, place).split(sep)[0] !== '..';
}
