/**
 * Unix sockets, and the files they go by. A file outlives its socket, so one that nobody accepts on is replaced; and one
 * that has come to be another's is not removed. The umask decides who may connect.
 */

import { lstatSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { AddressInUse, bindError, ConfigError } from '../../errors.ts';
import { bindPath, canBindForOthers } from '../../node/bind.ts';
import type { Listener, SocketFile } from './listener.ts';

/** What fits into `sun_path` with its closing zero: 108 bytes on Linux (unix(7)), 104 on macOS and the BSDs. */
const longestPathBytes = process.platform === 'linux' ? 107 : 103;

/**
 * @param path absolute
 * @throws ConfigError
 */
export async function bindUnix(path: string, key: string): Promise<Listener> {
  await makeRoom(path, key);
  if (!canBindForOthers) return probe(path, key);
  const bound = bindPath(path);
  if (typeof bound === 'number') throw refusal(key, getSystemErrorName(bound));
  const file = identify(path);
  if (file === undefined) throw new ConfigError(`bind: ${key} was removed by somebody as it was made`);
  return {
    key,
    address: key,
    socket: { address: key, fd: bound.fd },
    file,
    close: closer(file, bound.close),
  };
}

/** The files of the sockets that are open. */
const files = new Set<SocketFile>();
// However this process comes to its end.
process.on('exit', () => files.forEach(remove));

/** How to close a unix socket, of which `file` is ours to remove. */
export function closer(file: SocketFile, closeSocket: () => void): () => void {
  files.add(file);
  return () => {
    // A listener of two generations is closed by each, and the descriptor may be another's by then.
    if (!files.delete(file)) return;
    // The name goes first: after the close, another process may have taken it already.
    remove(file);
    closeSocket();
  };
}

function identify(path: string): SocketFile | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : { path, device: stats.dev, inode: stats.ino };
}

function remove({ path, device, inode, sharedWith }: SocketFile): void {
  if (sharedWith !== undefined && isAlive(sharedWith)) return;
  try {
    const now = identify(path);
    if (now?.device === device && now.inode === inode) unlinkSync(path);
  } catch {
    // The folder is gone or closed to us by now. The file, if there still is one, is replaced by the next to bind it.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Sees that the path can be bound: nothing is there, or a socket that nobody accepts on, which is removed. */
async function makeRoom(path: string, key: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > longestPathBytes)
    throw new ConfigError(`bind: ${key} is too long: ${bytes} bytes, and ${longestPathBytes} fit; take a shorter path`);
  try {
    if (!statSync(dirname(path)).isDirectory()) throw new ConfigError(`bind: ${key}: ${dirname(path)} is no directory`);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isSocket())
      throw new ConfigError(
        `bind: ${key} is there and is not a socket: remove it if it is not needed, or take another path`,
      );
    const code = await connectError(path);
    if (code === 'ENOENT') return;
    if (code !== 'ECONNREFUSED') throw refusal(key, code);
    unlinkSync(path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw refusal(key, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** Why nobody can connect; EADDRINUSE if somebody can. */
function connectError(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve('EADDRINUSE');
    });
    // EAGAIN is a queue that is full: somebody accepts there, if slowly.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EAGAIN' ? 'EADDRINUSE' : String(code)));
  });
}

function refusal(key: string, code: string): ConfigError {
  if (code === 'EADDRINUSE')
    return new AddressInUse(
      key,
      `bind: ${key} is in use: a process accepts connections there; stop that one, or take another path (EADDRINUSE)`,
    );
  if (code === 'ENOENT') return new ConfigError(`bind: ${key}: the directory is not there: make it first (ENOENT)`);
  if (code === 'EACCES')
    return new ConfigError(`bind: ${key} is not open to this user: take a directory it may write to (EACCES)`);
  return bindError(key, code);
}

/** Where a socket cannot be bound for others: see that it could be, and leave the binding to cluster and the workers. */
async function probe(path: string, key: string): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ path, exclusive: true }, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw refusal(key, error.code ?? error.message);
  });
  await new Promise((resolve) => server.close(resolve));
  return { key, address: key, socket: { address: key, path }, close: () => {} };
}
