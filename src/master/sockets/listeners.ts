/**
 * The listening sockets, bound once, in the master's name, before any worker runs. Workers inherit the descriptors and
 * accept on them; the master only keeps them open, so that connections wait in the accept queue while workers change.
 * This file decides which addresses are wanted and which are bound already; each kind is bound in a file of its own.
 */

import { resolve } from 'node:path';
import { type Address, formatAddress } from '../../config/values/addresses.ts';
import { ConfigError } from '../../errors.ts';
import type { Identity } from '../../ipc/order.ts';
import { inheritDescriptor } from './descriptor.ts';
import type { Endpoint, Listener } from './listener.ts';
import type { Patience } from './patience.ts';
import { isInPlace } from './socket-file.ts';
import { bindTcp, coversPort, findAddress } from './tcp.ts';
import { bindUnix } from './unix.ts';

export interface BindOptions {
  /** Reused if an address is the same and a unix socket still has its file. */
  readonly present?: readonly Listener[];
  /** The owner of unix sockets, if the workers' user is not the master's. */
  readonly owner?: Identity | undefined;
  /** How long to wait for an address that is in use; undefined: not at all. */
  readonly patience?: Patience | undefined;
}

/**
 * Listeners for all of `addresses`.
 * @throws ConfigError that names the address and the remedy; then none of the new ones stays bound
 */
export async function bindAll(
  addresses: readonly Address[],
  { present: given = [], owner, patience }: BindOptions = {},
): Promise<Listener[]> {
  // If somebody has removed the file, nobody can connect any more: bind it again.
  const present = given.filter(({ file }) => file === undefined || isInPlace(file));
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) {
      const ipv6Only = leavesIpv4(address, addresses);
      const key = keyOf(address, ipv6Only);
      const isAnyPort = address.kind === 'tcp' && address.port === 0;
      if (listeners.some((listener) => listener.key === key && !isAnyPort))
        throw new ConfigError(`bind: ${formatAddress(address)} is given twice`);
      const open = () => bind(address, key, ipv6Only, { wanted: listeners, present, owner });
      listeners.push(
        present.find((listener) => listener.key === key && !listeners.includes(listener)) ??
          (await (patience === undefined ? open() : patience.retry(open))),
      );
    }
  } catch (error) {
    for (const listener of listeners) if (!present.includes(listener)) listener.close();
    throw error;
  }
  return listeners;
}

/** A relative path means another file after a change of directory. */
function keyOf(address: Address, ipv6Only: boolean): string {
  if (address.kind === 'unix') return `unix:${resolve(address.path)}`;
  // TLS is for the workers: a reload may begin or end it on the same socket.
  const { isTls: _, ...plain } = { isTls: undefined, ...address };
  return `${formatAddress(plain as Address)}${ipv6Only ? ' (IPv6 only)' : ''}`;
}

/**
 * `[::]:PORT` takes IPv4 connections too, as in gunicorn and in Node. If another address is for IPv4 on that port, it
 * leaves them to that one, as in nginx: otherwise the second bind would fail.
 */
function leavesIpv4(address: Address, all: readonly Address[]): boolean {
  if (address.kind !== 'tcp' || address.port === 0 || !isIpv6(address)) return false;
  return all.some((other) => other.kind === 'tcp' && other.port === address.port && !isIpv6(other));
}

/** A name has no colon. `net.isIPv6` would compile its expression for this, which takes 5 ms. */
function isIpv6(address: Address): boolean {
  return address.kind === 'tcp' && address.host.includes(':');
}

interface Held {
  readonly wanted: readonly Listener[];
  readonly present: readonly Listener[];
  readonly owner: Identity | undefined;
}

async function bind(address: Address, key: string, ipv6Only: boolean, held: Held): Promise<Listener> {
  const name = formatAddress(address);
  if (address.kind === 'fd') return inheritDescriptor(address.fd, key);
  if (address.kind === 'unix') {
    refuseHeld(name, held, (other) => other.address === key);
    return bindUnix(resolve(address.path), key, held.owner);
  }
  const endpoint: Endpoint = { ...(await findAddress(address.host, name)), port: address.port, ipv6Only };
  refuseHeld(name, held, (other) => other.endpoint !== undefined && coversPort(endpoint, other.endpoint));
  return bindTcp(endpoint, key);
}

/** The system's own error would blame another process, and come only when workers listen. */
function refuseHeld(name: string, { wanted, present }: Held, isSame: (listener: Listener) => boolean): void {
  const twin = wanted.find(isSame);
  if (twin !== undefined)
    throw new ConfigError(`bind: ${name} and ${twin.key} are on the same socket: give one of them`);
  const holder = present.find(isSame);
  if (holder !== undefined)
    throw new ConfigError(
      `bind: ${name} overlaps ${holder.key}, where this tsgun listens until the reload is over: ` +
        'a reload cannot change one into the other; start tsgun anew, or take another address',
    );
}
