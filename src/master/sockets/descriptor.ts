/**
 * Listening sockets that the process which started tsgun has bound: `fd://N`, and systemd's. They stay open until the process
 * ends, because a later reload may need them, and nobody could open them a second time.
 */

import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { ConfigError } from '../../errors.ts';
import { canBindForOthers, inheritedHandle } from '../../node/bind.ts';
import type { ServerHandle } from '../../node/handles.ts';
import type { Listener } from './listener.ts';
import { named } from './tcp.ts';

/** Kept for good: closing a handle would close the descriptor. */
const handles = new Map<number, ServerHandle>();

/** In a successor: from its predecessor's descriptor numbers to its own. */
let renumbered: ReadonlyMap<number, number> | undefined;

export function renumber(descriptors: ReadonlyMap<number, number>): void {
  renumbered = descriptors;
}

/** @throws ConfigError when descriptor `given` is no bound stream socket that accepts */
export function inheritDescriptor(given: number, key: string): Listener {
  if (!canBindForOthers)
    throw new ConfigError(
      `bind: ${key}: inherited sockets need more of Node than it documents, which TSGUN_NO_INTERNALS turns off or this Node lacks: take an address instead`,
    );
  const fd = renumbered === undefined ? given : renumbered.get(given);
  if (fd === undefined)
    throw new ConfigError(`bind: ${key} was not handed over by the master before this one: start tsgun anew`);
  const handle = open(fd, key);
  if (handle.getsockname === undefined) return describeUnix(fd, key);
  if (handle.getpeername?.({}) === 0)
    throw new ConfigError(`bind: ${key} is a connection, not a listening socket: pass the socket that accepts`);
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  const { address: host = '', port = 0 } = bound;
  if (port === 0) throw new ConfigError(`bind: ${key} is a socket without an address: bind it before passing it on`);
  // Whether `::` takes IPv4 too cannot be asked; the system tells when another address is bound.
  const endpoint = { host, port, family: isIPv6(host) ? (6 as const) : (4 as const), ipv6Only: true };
  const names = named(endpoint, key);
  return { ...names, socket: { address: names.address, fd }, close: () => {} };
}

function open(fd: number, key: string): ServerHandle {
  const known = handles.get(fd);
  if (known !== undefined) return known;
  if (!isSocket(fd)) throw new ConfigError(`bind: ${key}: it is not a socket that tsgun was started with`);
  const handle = inheritedHandle(fd);
  if (handle === undefined) throw new ConfigError(`bind: ${key}: it is not a stream socket: pass a TCP or a unix one`);
  handles.set(fd, handle);
  return handle;
}

export function isSocket(fd: number): boolean {
  try {
    // As in `log/target.ts`.
    return fstatSync(fd, { bigint: true }).isSocket();
  } catch {
    return false;
  }
}

function describeUnix(fd: number, key: string): Listener {
  const { path, isConnected } = lookUp(fd);
  if (isConnected)
    throw new ConfigError(`bind: ${key} is a connection, not a listening socket: pass the socket that accepts`);
  const address = path === undefined ? key : `unix:${path}`;
  return { key, address, socket: { address, fd }, close: () => {} };
}

/** What Linux says of a unix socket (proc(5), `/proc/net/unix`: state 03 is connected); elsewhere nothing is known. */
function lookUp(fd: number): { path?: string; isConnected: boolean } {
  try {
    const inode = /\d+/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[0];
    for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
      const [, , , , , state, socketInode, ...path] = line.split(' ').filter((word) => word !== '');
      if (socketInode !== inode) continue;
      return { isConnected: state === '03', ...(path.length > 0 ? { path: path.join(' ') } : {}) };
    }
  } catch {
    // No /proc.
  }
  return { isConnected: false };
}
