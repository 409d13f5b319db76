/** The requests of a worker as an operator sees them: the oldest, as many as one may want to read, and the number of the others. */

import type { RequestDetail, RunningList } from '../../ipc/messages.ts';
import { type AppThread, nameOf } from './other-threads.ts';

const maxRequests = 128;
/** Of a path, a query, or a client's address. */
const maxLength = 200;

/** @param details `head` is what a thread says that it works on */
export function listRunning(
  details: readonly (RequestDetail & { readonly head?: object })[],
  threads: Iterable<AppThread>,
): RunningList {
  const byHead = new Map<object, string>();
  for (const { worker, request } of threads) if (request !== undefined) byHead.set(request, nameOf(worker));
  const oldest = [...details].sort((one, other) => other.ms - one.ms).slice(0, maxRequests);
  const requests = oldest.map(({ head, method, path, ms, query = '', client = '' }): RequestDetail => {
    const thread = head === undefined ? undefined : byHead.get(head);
    return {
      method: method.slice(0, maxLength),
      path: path.slice(0, maxLength),
      ms,
      ...(query === '' ? {} : { query: query.slice(0, maxLength) }),
      ...(client === '' ? {} : { client: client.slice(0, maxLength) }),
      ...(thread === undefined ? {} : { thread }),
    };
  });
  return { requests, more: details.length - requests.length };
}
