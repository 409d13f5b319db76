/** Binds the admin listener's server to its address. */

import { renameSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, Server as ListeningSocket, type ListenOptions } from 'node:net';
import { resolve } from 'node:path';
import { formatAddress } from '../../config/values/addresses.ts';
import { type AdminAddress, isLoopback } from '../../config/values/admin-address.ts';
import { AddressInUse, bindError, ConfigError } from '../../errors.ts';
import { dnsModule } from '../../node/builtin.ts';
import { closer, identify, isInPlace } from '../sockets/socket-file.ts';
import { makeRoom, refusal } from '../sockets/unix-path.ts';

/** How long a closed listener still serves its connections; a silent one ends before (see `server.ts`). */
const longestConnectionMs = 15_000;

export interface Bound {
  /** With the port, or the absolute path. */
  readonly address: string;
  /** Whether clients that connect to the address reach it: somebody may have removed the file. */
  isInPlace(): boolean;
  /** Accepts no more, and removes the file of a unix socket if it is still ours. May be called twice. */
  close(): void;
}

export interface AdminPlace {
  readonly where: AdminAddress;
  /** Whether others than this machine may reach it. */
  readonly isPublic: boolean;
}

/** Equal for the same place in two configurations, or of two masters. */
export function keyOf(where: AdminAddress): string {
  return where.kind === 'unix' ? `unix:${resolve(where.path)}` : formatAddress(where);
}

/**
 * @param replaces whether a unix socket that another master listens on is replaced
 * @throws ConfigError
 */
export async function bindAdmin(server: Server, place: AdminPlace, replaces: boolean): Promise<Bound> {
  try {
    const { where } = place;
    return where.kind === 'unix' ? await bindFile(server, resolve(where.path), replaces) : await bindTcp(server, place);
  } catch (error) {
    throw inItsName(error);
  }
}

async function bindTcp(server: Server, { where, isPublic }: AdminPlace): Promise<Bound> {
  if (where.kind !== 'tcp') throw new Error('not a TCP address');
  const { port } = where;
  const key = formatAddress(where);
  const { address: host } = await dnsModule()
    .lookup(where.host)
    .catch((error: NodeJS.ErrnoException) => {
      throw new ConfigError(`bind: ${key}: no address for host ${JSON.stringify(where.host)} (${error.code})`);
    });
  if (!isPublic && !isLoopback(host))
    throw new ConfigError(
      `bind: ${key} is ${host} here, which other machines reach: add --admin-public if that is wanted`,
    );
  await listen(server, { host, port }, (code) => bindError(key, code));
  return boundTcp(server);
}

function boundTcp(server: Server): Bound {
  const { address: host, port } = server.address() as AddressInfo;
  const address = formatAddress({ kind: 'tcp', host, port });
  return { address, isInPlace: () => true, close: () => close(server) };
}

/** Listens on the socket of another process. */
export async function adoptTcp(server: Server, socket: ListeningSocket): Promise<Bound> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  return boundTcp(server);
}

/**
 * Binds under a temporary name, then renames: so the file of an older master is replaced without a gap. And libuv, which at the
 * close removes the name that was bound, cannot remove the file of a newer master.
 */
async function bindFile(server: Server, path: string, replaces: boolean): Promise<Bound> {
  const key = `unix:${path}`;
  if (!replaces) await makeRoom(path, key);
  const temporary = `${path}.${process.pid}`;
  await makeRoom(temporary, `unix:${temporary}`);
  await listen(server, { path: temporary }, (code) => refusal(key, code));
  try {
    renameSync(temporary, path);
  } catch (error) {
    close(server);
    throw refusal(key, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  const file = identify(path);
  if (file === undefined)
    throw new ConfigError(`bind: ${key} was removed by another process as it was made: start again`);
  return { address: key, isInPlace: () => isInPlace(file), close: closer(file, () => close(server)) };
}

/**
 * A full accept queue makes the kernel drop connections, and their clients try again only after one second, then two. Node
 * accepts one in each turn of its loop, so a thousand that come at once must fit.
 */
const backlog = 2048;

function listen(server: Server, options: ListenOptions, refuse: (code: string) => ConfigError): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(refuse(error.code ?? error.message));
    server.once('error', onError);
    server.listen({ ...options, backlog, exclusive: true }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/**
 * Accepts no more. A connected client may be about to send its request, and closing the HTTP server would reset it. So each
 * connection is served until its own limits end it.
 */
function close(server: Server): void {
  ListeningSocket.prototype.close.call(server);
  setTimeout(() => server.close(), longestConnectionMs).unref();
}

/** The errors of binding name the setting of the app's addresses, `bind`. */
function inItsName(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const message = error.message.replace(/^bind: /, 'adminBind: ').replace('--bind', '--admin-bind');
  return error instanceof AddressInUse ? new AddressInUse(error.address, message) : new ConfigError(message);
}
