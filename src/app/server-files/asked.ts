/** What a call of `server.listen` asks for, in any of its forms: https://nodejs.org/api/net.html#serverlisten */

import { isIPv6 } from 'node:net';
import type { ServerAddress } from '../../node/listen.ts';

export interface Asked {
  /** Of TCP; 0 for any. */
  readonly port?: number;
  /** Undefined: all addresses of the machine. */
  readonly host?: string | undefined;
  /** Of a unix socket. */
  readonly path?: string;
  readonly fd?: number;
  readonly signal?: AbortSignal | undefined;
  readonly callback?: (() => void) | undefined;
}

/** @returns undefined for what Node refuses, or for another socket's handle: Node itself handles such a call */
export function readListen(args: readonly unknown[]): Asked | undefined {
  const last = args.findLast((arg) => arg !== undefined);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) return readOptions(first as Record<string, unknown>, callback);
  if (first === undefined || first === null || typeof first === 'function') return { port: 0, callback };
  const port = portOf(first);
  if (port !== undefined) return { port, host: typeof second === 'string' ? second : undefined, callback };
  // A string that is no number is a path.
  return typeof first === 'string' && Number.isNaN(Number(first)) ? { path: first, callback } : undefined;
}

function readOptions(options: Record<string, unknown>, callback: Asked['callback']): Asked | undefined {
  const { port, host, path, fd, signal } = options;
  if ('_handle' in options || (signal !== undefined && !(signal instanceof AbortSignal))) return undefined;
  const rest = { signal, callback };
  if (typeof fd === 'number' && fd >= 0) return { fd, ...rest };
  if (port !== undefined && port !== null) {
    const number = portOf(port);
    if (number === undefined) return undefined;
    return { port: number, host: typeof host === 'string' ? host : undefined, ...rest };
  }
  if (typeof path === 'string') return { path, ...rest };
  return 'port' in options ? { port: 0, ...rest } : undefined;
}

function portOf(value: unknown): number | undefined {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  const port = isNumber ? Number(value) : Number.NaN;
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
}

/** What `server.address()` says once it listens there, as far as that is known before. */
export function addressAsked({ port = 0, host, path }: Asked): ServerAddress {
  if (path !== undefined) return path;
  const address = host === 'localhost' ? '127.0.0.1' : host || '::';
  return { address, family: isIPv6(address) ? 'IPv6' : 'IPv4', port };
}

/** For people. */
export function nameAsked({ port, host, path, fd }: Asked): string {
  if (fd !== undefined) return `descriptor ${fd}`;
  if (path !== undefined) return path;
  if (host === undefined || host === '') return `port ${port}`;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
