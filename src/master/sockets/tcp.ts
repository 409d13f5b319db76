/** TCP sockets: from a host and a port to a bound socket, IPv4 or IPv6. */

import { createServer } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { formatAddress } from '../../config/values/addresses.ts';
import { bindError, ConfigError } from '../../errors.ts';
import { bindHandle, canBindForOthers } from '../../node/bind.ts';
import { dnsModule } from '../../node/builtin.ts';
import type { Endpoint, Listener } from './listener.ts';

/** @throws ConfigError */
export async function findAddress(host: string, name: string): Promise<Pick<Endpoint, 'host' | 'family'>> {
  const { address, family } = await dnsModule()
    .lookup(host)
    .catch((error: NodeJS.ErrnoException) => {
      throw new ConfigError(`bind: ${name}: no address for host ${JSON.stringify(host)} (${error.code})`);
    });
  return { host: address, family: family === 6 ? 6 : 4 };
}

/** Whether only one of the two can be listened on. */
export function coversPort(one: Endpoint, other: Endpoint): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  if (one.host === other.host) return true;
  return includes(one, other) || includes(other, one);
}

function includes(whole: Endpoint, part: Endpoint): boolean {
  if (whole.host === '0.0.0.0') return part.family === 4;
  return whole.host === '::' && (part.family === 6 || !whole.ipv6Only);
}

/** @throws ConfigError */
export async function bindTcp(endpoint: Endpoint, key: string): Promise<Listener> {
  if (!canBindForOthers) return probe(endpoint, key);
  const handle = bindHandle(endpoint.host, endpoint.port, endpoint.family, endpoint.ipv6Only);
  if (typeof handle === 'number') throw bindError(key, getSystemErrorName(handle));
  const bound: { address?: string; port?: number } = {};
  handle.getsockname?.(bound);
  const got = { ...endpoint, host: bound.address ?? endpoint.host, port: bound.port ?? endpoint.port };
  return { ...named(got, key), socket: { address: addressOf(got), fd: handle.fd }, close: () => handle.close() };
}

/** What a listener on TCP is called. */
export function named(endpoint: Endpoint, key: string): Pick<Listener, 'key' | 'address' | 'endpoint'> {
  return { key, address: addressOf(endpoint), endpoint };
}

function addressOf({ host, port }: Endpoint): string {
  return formatAddress({ kind: 'tcp', host, port });
}

/** Without Node's internals, cluster and the workers bind the socket: here, only check that the address can be bound. */
async function probe(endpoint: Endpoint, key: string): Promise<Listener> {
  const { host, ipv6Only } = endpoint;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port: endpoint.port, ipv6Only, exclusive: true }, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw bindError(key, error.code ?? error.message);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const got = { ...endpoint, port };
  return { ...named(got, key), socket: { address: addressOf(got), host, port, ipv6Only }, close: () => {} };
}
