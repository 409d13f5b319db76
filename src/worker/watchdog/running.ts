/** The requests of a worker as an operator sees them: the oldest, up to a readable number, and the number of the others. */

import type { RequestDetail, RunningList } from '../../ipc/messages.ts';
import { type AppThread, nameOf } from './other-threads.ts';
import type { ThreadTimes } from './thread-times.ts';

const maxRequests = 128;
/** The longest path, query or client address shown. */
const maxLength = 200;

/** From the main thread: what is needed to find the CPU time of a request. Absent while no thread runs it. */
export interface Timed {
  /** The system's number of the thread, and for how long it has worked on the request. */
  readonly on?: { readonly thread: number; readonly ms: number };
}

/** @param details `head` identifies the request that a thread says it runs; without threads, all run on the main thread */
export function listRunning(
  details: readonly (RequestDetail & { readonly head?: object })[],
  threads: Iterable<AppThread>,
  now = performance.now(),
): RunningList<RequestDetail & Timed> {
  const all = [...threads];
  const byHead = new Map<object, AppThread>();
  for (const thread of all) if (thread.request !== undefined) byHead.set(thread.request, thread);
  const oldest = [...details].sort((one, other) => other.ms - one.ms).slice(0, maxRequests);
  const requests = oldest.map(
    ({ head, method, path, ms, query = '', client = '', ...costs }): RequestDetail & Timed => {
      const thread = head === undefined ? undefined : byHead.get(head);
      const systemId = all.length === 0 ? process.pid : thread?.systemId;
      const onMs = Math.min(ms, Math.round(now - (thread?.since ?? Number.NEGATIVE_INFINITY)));
      return {
        method: method.slice(0, maxLength),
        path: path.slice(0, maxLength),
        ms,
        ...(query === '' ? {} : { query: query.slice(0, maxLength) }),
        ...(client === '' ? {} : { client: client.slice(0, maxLength) }),
        ...(thread === undefined ? {} : { thread: nameOf(thread.worker) }),
        ...(systemId === undefined ? {} : { on: { thread: systemId, ms: onMs } }),
        ...costs,
      };
    },
  );
  return { requests, more: details.length - requests.length };
}

/** Adds CPU times, in the watchdog's thread. */
export function withCpu({ requests, more }: RunningList<RequestDetail & Timed>, times: ThreadTimes): RunningList {
  const now = performance.now();
  const timed = requests.map(({ on, ...request }): RequestDetail => {
    const cpuMs = on === undefined ? undefined : times.since(on.ms, now)(on.thread);
    return cpuMs === undefined ? request : { ...request, cpuMs: Math.min(cpuMs, request.ms) };
  });
  return { requests: timed, more };
}

/** For a main thread that does not answer. @param thread the thread that all of its requests run on, if known */
export function runningIn(list: RunningList, thread: number | undefined, times: ThreadTimes): RunningList {
  if (thread === undefined) return list;
  return withCpu({ ...list, requests: list.requests.map((each) => ({ ...each, on: { thread, ms: each.ms } })) }, times);
}
