/**
 * The listening sockets, bound once, in the master's name, before any worker runs. Workers inherit the descriptors and
 * accept on them; the master only keeps them open, so that connections wait in the kernel's queue while workers change.
 */

import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type Address, formatAddress } from '../config/parsers.ts';
import { bindError, ConfigError } from '../errors.ts';
import { bindHandle, canBindForOthers, type ServerHandle } from '../internals.ts';
import type { WorkerSocket } from '../ipc/messages.ts';

export interface Listener {
  /** As the setting says it: two configurations that say the same share the socket. */
  readonly key: string;
  /** With the port that it got. */
  readonly address: string;
  readonly socket: WorkerSocket;
  /** The bound socket, for a worker that wants it again. */
  readonly handle?: ServerHandle;
  close(): void;
}

/**
 * Listeners for all of `addresses`: those in `present` are reused, the others bound.
 * @throws ConfigError that names the address and the remedy; then none of the new ones stays bound
 */
export async function bindAll(addresses: readonly Address[], present: readonly Listener[] = []): Promise<Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) {
      const key = formatAddress(address);
      if (listeners.some((listener) => listener.key === key && address.port !== 0))
        throw new ConfigError(`bind: ${key} is given twice`);
      listeners.push(
        present.find((listener) => listener.key === key && !listeners.includes(listener)) ?? (await bind(address, key)),
      );
    }
  } catch (error) {
    for (const listener of listeners) if (!present.includes(listener)) listener.close();
    throw error;
  }
  return listeners;
}

async function bind({ host, port }: Address, key: string): Promise<Listener> {
  const { address, family } = await lookup(host).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`bind: ${key}: no address for host ${JSON.stringify(host)} (${error.code})`);
  });
  if (!canBindForOthers) return probe(address, port, key);
  const handle = bindHandle(address, port, family === 6 ? 6 : 4);
  if (typeof handle === 'number') throw bindError(key, getSystemErrorName(handle));
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  const text = formatAddress({ kind: 'tcp', host: bound.address ?? address, port: bound.port ?? port });
  return { key, address: text, socket: { address: text, fd: handle.fd }, handle, close: () => handle.close() };
}

/** Where a socket cannot be bound for others: see that it could be, and leave the binding to cluster and the workers. */
async function probe(host: string, port: number, key: string): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw bindError(key, error.code ?? error.message);
  });
  const bound = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const address = formatAddress({ kind: 'tcp', host, port: bound.port });
  return { key, address, socket: { address, host, port: bound.port }, close: () => {} };
}
