/** Where a server of `createServer` listens, by the rules of the command. */

import { once } from 'node:events';
import type { Server as Listener } from 'node:net';
import { resolve } from 'node:path';
import { type Address, formatAddress } from '../config/values/addresses.ts';
import { bindError } from '../errors.ts';
import { type ServerAddress, serverAddress } from '../hooks.ts';
import { findAddress } from '../master/sockets/tcp.ts';
import { makeRoom, refusal } from '../master/sockets/unix-path.ts';

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
  if (typeof bound !== 'object' || bound === null) return serverAddress(`unix:${bound}`, scheme);
  const { address, port } = bound;
  return serverAddress(formatAddress({ kind: 'tcp', host: address, port }), scheme);
}
