/** Makes an entry of a request that the watchdog of a hung worker has answered. What is not known of it stays empty. */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import { nowhere, plainScheme } from '../../http/ends.ts';
import { RequestHead } from '../../http/head.ts';
import type { AnsweredRequest } from '../../ipc/messages.ts';
import type { Entry } from './entry.ts';

export function entryOf(request: AnsweredRequest): Entry & { readonly head: RequestHead } {
  const { method, path, query, minorVersion, ms, sentBytes, address, port } = request;
  const target = query === '' ? path : `${path}?${query}`;
  const head = Object.assign(new RequestHead(), { method, path, query, target, minorVersion });
  return {
    head,
    outcome: 'refused',
    status: 503,
    sentBytes,
    receivedBytes: 0,
    endedAt: performance.now(),
    durationMs: ms,
    queueMs: undefined,
    cpuMs: undefined,
    ends: { local: nowhere, remote: { address, port }, scheme: plainScheme },
    answer: { responseFields: [] },
  };
}
