/**
 * Unix sockets: from a path to a bound socket. A file outlives its socket, so one that nobody accepts on is replaced. It
 * belongs to the workers' user, and the umask decides who else may connect.
 */

import { lstatSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { AddressInUse, bindError, ConfigError } from '../../errors.ts';
import type { Identity } from '../../ipc/messages.ts';
import { bindPath, canBindForOthers } from '../../node/bind.ts';
import type { Listener } from './listener.ts';
import { closer, giveTo, identify, removeAtExit } from './socket-file.ts';

/** What fits into `sun_path` with its closing zero: 108 bytes on Linux (unix(7)), 104 on macOS and the BSDs. */
const longestPathBytes = process.platform === 'linux' ? 107 : 103;

/**
 * @param path absolute
 * @param owner who the workers become, where they are not who the master is
 * @throws ConfigError
 */
export async function bindUnix(path: string, key: string, owner: Identity | undefined): Promise<Listener> {
  await makeRoom(path, key);
  if (!canBindForOthers) return probe(path, key, owner);
  const bound = bindPath(path);
  if (typeof bound === 'number') throw refusal(key, getSystemErrorName(bound));
  const file = identify(path);
  if (file === undefined) throw new ConfigError(`bind: ${key} was removed by somebody as it was made`);
  const close = closer(file, bound.close);
  try {
    if (owner !== undefined) giveTo(owner, file);
  } catch (error) {
    close();
    throw error;
  }
  return { key, address: key, socket: { address: key, fd: bound.fd }, file, close };
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
async function probe(path: string, key: string, owner: Identity | undefined): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ path, exclusive: true }, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw refusal(key, error.code ?? error.message);
  });
  await new Promise((resolve) => server.close(resolve));
  let letGo = () => {};
  const onListening = () => {
    const file = identify(path);
    if (file === undefined) return;
    letGo = removeAtExit(file);
    if (owner !== undefined) giveTo(owner, file);
  };
  return { key, address: key, socket: { address: key, path }, onListening, close: () => letGo() };
}
