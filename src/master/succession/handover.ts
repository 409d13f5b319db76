/**
 * Listening sockets on their way to a new master that starts beside this one: their descriptors are inherited, and
 * `TSGUN_SOCKETS` says which is which. `successor.ts` decides when the new master starts.
 */

import { closeSync } from 'node:fs';
import type { Configuration } from '../../config/load.ts';
import { activatedVariable, activationOrigin } from '../../config/sources/activation.ts';
import { formatAddress } from '../../config/values/addresses.ts';
import { ConfigError } from '../../errors.ts';
import { canBindForOthers } from '../../node/bind.ts';
import { isSocket, renumber } from '../sockets/descriptor.ts';
import type { Listener } from '../sockets/listener.ts';
import { closer } from '../sockets/socket-file.ts';

export const socketsVariable = 'TSGUN_SOCKETS';

/** Keys of sockets that were inherited: these are never closed. */
const givenPrefix = 'fd://';

/** One socket in `TSGUN_SOCKETS`, a JSON list. */
type Entry = Omit<Listener, 'socket' | 'close'> & { readonly fd: number };

export interface Handover {
  /** The new master's descriptors from `firstFd` on, as `child_process` takes them. */
  readonly stdio: readonly number[];
  /** Variables for its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a new master needs at its start to listen on the same sockets.
 * @param listeners of the generation that serves, under the configuration before
 * @param firstFd the descriptor of the first socket there: 3, unless other descriptors come before it
 * @returns undefined where sockets cannot be inherited; the new master could not bind them either
 */
export function describeHandover(
  { settings, origins }: Pick<Configuration, 'settings' | 'origins'>,
  listeners: readonly Listener[],
  firstFd = 3,
): Handover | undefined {
  if (!canBindForOthers) return undefined;
  const stdio: number[] = [];
  const entries = listeners.map(({ key, address, socket, endpoint, file }): Entry => {
    if ('fd' in socket) stdio.push(socket.fd);
    return {
      key,
      address,
      fd: firstFd + stdio.length - 1,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(file === undefined ? {} : { file: { ...file, sharedWith: process.pid } }),
    };
  });
  const activated =
    origins.bind === activationOrigin ? { [activatedVariable]: settings.bind.map(formatAddress).join(',') } : {};
  return { stdio, env: { [socketsVariable]: JSON.stringify(entries), ...activated } };
}

/**
 * The listeners that an older master has handed over, to be passed to `bindAll` as present. The variable is taken out of
 * the environment, because it is not for the processes that this one starts.
 * @throws ConfigError when the variable and the descriptors do not match
 */
export function adoptHandover(env: NodeJS.ProcessEnv = process.env): Listener[] {
  const text = env[socketsVariable];
  delete env[socketsVariable];
  if (!text) return [];
  const entries = parse(text);
  const isGiven = ({ key }: Entry) => key.startsWith(givenPrefix);
  renumber(new Map(entries.filter(isGiven).map(({ key, fd }) => [Number(key.slice(givenPrefix.length)), fd])));
  return entries.map((entry): Listener => {
    const { fd, ...rest } = entry;
    const { key, address, file } = rest;
    if (!isSocket(fd)) throw new ConfigError(`${socketsVariable}: descriptor ${fd} (${key}) is not a socket`);
    const socket = { address, fd };
    if (isGiven(entry)) return { ...rest, socket, close: () => {} };
    const close = () => closeSync(fd);
    return { ...rest, socket, close: file === undefined ? once(close) : closer(file, close) };
  });
}

/**
 * Records who else listens there now. Each of the two masters leaves the files of unix sockets alone while the other lives;
 * the new one knows the old one from `TSGUN_SOCKETS`.
 */
export function shareFiles(listeners: readonly Listener[], pid: number): void {
  for (const { file } of listeners) if (file !== undefined) file.sharedWith = pid;
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

function parse(text: string): Entry[] {
  try {
    const entries = JSON.parse(text) as Entry[];
    if (
      entries.every(({ key, address, fd }) => [typeof key, typeof address, typeof fd].join() === 'string,string,number')
    )
      return entries;
  } catch {
    // Reported below.
  }
  throw new ConfigError(`${socketsVariable}: expected what a master of tsgun sets for its successor, got ${text}`);
}
