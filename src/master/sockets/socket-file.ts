/**
 * The files of unix sockets: their owner, whether they still exist, and their removal when this process ends.
 * Another process may have replaced a file under the same name; such a file is neither removed nor given away.
 */

import { chownSync, closeSync, constants, fstatSync, lchownSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { onExit } from 'signal-exit';
import { ConfigError, report } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';
import { isLiving } from '../living.ts';
import type { SocketFile } from './listener.ts';

export function identify(path: string): SocketFile | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : { path, device: stats.dev, inode: stats.ino };
}

/** Whether the name still stands for this file. */
export function isInPlace({ path, device, inode }: SocketFile): boolean {
  const now = identify(path);
  return now?.device === device && now.inode === inode;
}

/** Removes the file when this process ends, however that comes about. @returns how to let go of it */
export function removeAtExit(file: SocketFile): () => void {
  return onExit(() => remove(file));
}

/** How to close a unix socket, of which `file` is ours to remove. */
export function closer(file: SocketFile, closeSocket: () => void): () => void {
  const letGo = removeAtExit(file);
  let isOpen = true;
  return () => {
    // Each of two generations closes a shared listener; by the second close, the descriptor may belong to something else.
    if (!isOpen) return;
    isOpen = false;
    letGo();
    // The name goes first: after the close, another process may have taken it already.
    remove(file);
    closeSocket();
  };
}

function remove(file: SocketFile): void {
  if (file.sharedWith !== undefined && isLiving(file.sharedWith)) return;
  try {
    if (isInPlace(file)) unlinkSync(file.path);
  } catch {
    // The folder is gone, or this process may no longer write to it. The next process that binds the path replaces the file.
  }
}

/** Linux's O_PATH: a file by itself, which need not be one that can be opened. Node has no name for it. */
const pathOnly = 0o10000000;

/**
 * Makes it the workers' own, as gunicorn does. Who may connect is left to the file's mode, and so to the umask.
 * @throws ConfigError when the system refuses
 */
export function giveTo({ gid, user }: Identity, file: SocketFile): void {
  const uid = user?.uid ?? -1;
  try {
    if (process.platform !== 'linux') return lchownSync(file.path, uid, gid);
    // Whoever may write to the folder could have put another file in its place, which root would then give away.
    const fd = openSync(file.path, pathOnly | constants.O_NOFOLLOW);
    try {
      const { dev, ino } = fstatSync(fd);
      if (dev === file.device && ino === file.inode) chownSync(`/proc/self/fd/${fd}`, uid, gid);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new ConfigError(
      `bind: unix:${file.path} cannot be given to user ${uid}, group ${gid}: ${report(error).message}`,
    );
  }
}
