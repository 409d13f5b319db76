/** Whether a unix socket can be bound at a path, and if not, why. */

import { lstatSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { AddressInUse, bindError, ConfigError } from '../../errors.ts';

/** What fits into `sun_path` with its closing zero: 108 bytes on Linux (unix(7)), 104 on macOS and the BSDs. */
const longestPathBytes = process.platform === 'linux' ? 107 : 103;

/**
 * Makes sure that the path can be bound: nothing is there, or a socket that nobody accepts on, which is removed.
 * @throws ConfigError
 */
export async function makeRoom(path: string, key: string): Promise<void> {
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
    // EAGAIN means a full accept queue: somebody accepts there, if slowly.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EAGAIN' ? 'EADDRINUSE' : String(code)));
  });
}

/** What is wrong with a path that cannot be bound. */
export function refusal(key: string, code: string): ConfigError {
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
