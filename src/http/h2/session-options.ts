/** The options of Node's session: what a client of HTTP/2 may do on one connection. */

import type { ServerSessionOptions } from 'node:http2';
import type { Limits } from '../limits.ts';

/** Streams at once: as in nginx. */
export const maxStreams = 128;
/** How much of a body may come before the app reads it: HTTP/2's own initial value. */
const windowBytes = 65_535;
/** All fields of a request together, as they come. Holds even if the number and size of fields are not limited. */
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
    // Of answers, whose length only the app decides.
    maxSendHeaderBlockLength: 1024 * 1024,
    maxSessionMemory: 32,
    maxSessionInvalidFrames: 100,
    // From Node 24 on. `H2Connection` counts resets too, but only when Node has made a stream of each in what was read at
    // once.
    streamResetBurst: 400,
    streamResetRate: 100,
  } as ServerSessionOptions;
}
