/**
 * Unix sockets: from a path to a bound socket. A file outlives its socket, so one that nobody accepts on is replaced. It
 * belongs to the workers' user, and the umask decides who else may connect.
 */

import { createServer } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { ConfigError } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';
import { bindPath, canBindForOthers } from '../../node/bind.ts';
import type { Listener } from './listener.ts';
import { closer, giveTo, identify, removeAtExit } from './socket-file.ts';
import { makeRoom, refusal } from './unix-path.ts';

/**
 * @param path absolute
 * @param owner the workers' user and group, if they are not the master's
 * @throws ConfigError
 */
export async function bindUnix(path: string, key: string, owner: Identity | undefined): Promise<Listener> {
  await makeRoom(path, key);
  if (!canBindForOthers) return probe(path, key, owner);
  const bound = bindPath(path);
  if (typeof bound === 'number') throw refusal(key, getSystemErrorName(bound));
  const file = identify(path);
  if (file === undefined)
    throw new ConfigError(`bind: ${key} was removed by another process as it was made: start again`);
  const close = closer(file, bound.close);
  try {
    if (owner !== undefined) giveTo(owner, file);
  } catch (error) {
    close();
    throw error;
  }
  return { key, address: key, socket: { address: key, fd: bound.fd }, file, close };
}

/** Without Node's internals, cluster and the workers bind the socket: here, only check that the path can be bound. */
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
