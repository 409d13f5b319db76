/** Where a server of `createServer` listens, by the rules of the command. */

import { once } from 'node:events';
import type { Server as Listener } from 'node:net';
import { resolve } from 'node:path';
import { type Address, formatAddress } from '../config/addresses.ts';
import { bindError } from '../errors.ts';
import { findAddress } from '../master/sockets/tcp.ts';
import { makeRoom, refusal } from '../master/sockets/unix-path.ts';

export interface ServerAddress {
  /** `http://HOST:PORT`, `tcp://HOST:PORT` or `unix:PATH`. */
  readonly url: string;
  /** Of a unix socket, its path. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
}

/** @throws ConfigError when the address cannot be bound */
export async function bind(listener: Listener, address: Address, backlog: number): Promise<void> {
  const name = formatAddress(address);
  const isUnix = address.kind === 'unix';
  if (isUnix) await makeRoom(resolve(address.path), name);
  if (address.kind === 'tcp') {
    const { host } = await findAddress(address.host, name);
    listener.listen({ host, port: address.port, backlog });
  } else listener.listen({ path: isUnix ? resolve(address.path) : '', backlog });
  // A refused address comes as an event.
  await once(listener, 'listening').catch(({ code, message }: NodeJS.ErrnoException) => {
    throw isUnix ? refusal(name, code ?? message) : bindError(name, code ?? message);
  });
}

export function describeAddress(listener: Listener, scheme: string): ServerAddress {
  const bound = listener.address();
  if (typeof bound !== 'object' || bound === null) return { url: `unix:${bound}`, address: String(bound), port: 0 };
  const { address, port, family } = bound;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `${scheme}://${host}:${port}`, address, port };
}
