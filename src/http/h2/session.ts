/** Node's own session on a connection: it reads and writes the frames (nghttp2). */

import type { ServerHttp2Session } from 'node:http2';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { spareStreams } from '../../node/http2-streams.ts';
import type { Limits } from '../limits.ts';
import { sessionOptions } from './session-options.ts';

/** A client's upload is not to wait for each 64 KiB of all its streams together. */
const connectionWindowBytes = 1024 * 1024;

export function openSession(socket: Duplex, limits: Limits): ServerHttp2Session {
  const session = http2().performServerHandshake(socket, sessionOptions(limits));
  session.setLocalWindowSize(connectionWindowBytes);
  session.on('error', () => {});
  session.destroy = destroyAsMeant;
  spareStreams(session);
  return session;
}

/** nghttp2's own errors (negative, by its header file), and how RFC 9113 §7 calls them. */
const codesOf = new Map([
  [-505, 1],
  [-510, 5],
  [-522, 6],
  [-523, 9],
  [-524, 3],
]);

/** Node ends a session for what its client has done with INTERNAL_ERROR, whatever it was. */
function destroyAsMeant(this: ServerHttp2Session, error?: Error, code?: number): void {
  const { errno } = (error ?? {}) as NodeJS.ErrnoException;
  const meant = code ?? (errno === undefined ? undefined : codesOf.get(errno));
  Object.getPrototypeOf(this).destroy.call(this, error, meant);
}

type Http2 = typeof import('node:http2') & {
  /** Missing in the types of Node 20. */
  performServerHandshake(socket: Duplex, options?: object): ServerHttp2Session;
};

let loaded: Http2 | undefined;

/** Only for who speaks it: it takes 2 MB of each process. */
function http2(): Http2 {
  loaded ??= createRequire(import.meta.url)('node:http2') as Http2;
  return loaded;
}
