/** What a client of HTTP/2 may do on one connection, as Node's session is told. */

import type { ServerSessionOptions } from 'node:http2';
import type { Limits } from '../limits.ts';

/** Streams at once: as in nginx. */
export const maxStreams = 128;
/** What of a body may come before the app reads it: HTTP/2's own initial value. */
const windowBytes = 65_535;
/** All fields of a request together, as they come. Unlimited fields are held to this all the same. */
const leastHeaderBytes = 64 * 1024;
/** Pseudo-fields and fields beyond `--limit-request-fields`, so that the client gets a 431 and not a reset. */
const spareFields = 32;
/** Cookies may come in as many fields. */
const leastFields = 128;

export function sessionOptions({ fieldBytes, fieldCount, requestLineBytes }: Limits): ServerSessionOptions {
  const one = Math.max(fieldBytes, requestLineBytes) * 2;
  return {
    settings: {
      maxConcurrentStreams: maxStreams,
      initialWindowSize: windowBytes,
      maxHeaderListSize: Math.max(leastHeaderBytes, one),
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: Math.max(leastFields, fieldCount + spareFields),
    // Of answers, which are as long as the app likes.
    maxSendHeaderBlockLength: 1024 * 1024,
    maxSessionMemory: 32,
    maxSessionInvalidFrames: 100,
    // From Node 24 on. `H2Connection` counts resets too, but only when Node has made a stream of each in what was read at once.
    streamResetBurst: 400,
    streamResetRate: 100,
  } as ServerSessionOptions;
}
