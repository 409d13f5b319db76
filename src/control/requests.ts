/** What `tsgun requests` and `tsgun stacks` print. Makes text and plain data only. */

import type { RequestDetail, RunningRequest } from '../ipc/messages.ts';
import type { ThreadStack } from '../ipc/profiles.ts';
import type { WorkerRequests } from '../master/children/running.ts';
import { byteCount, type Column, clean, cut, duration, table } from './text.ts';

/** A running request, as `tsgun requests --json` prints it. */
export interface ListedRequest {
  readonly worker: number;
  readonly pid: number | null;
  readonly unresponsive: boolean;
  readonly thread: string | null;
  readonly method: string;
  readonly path: string;
  /** Only with `--query`. */
  readonly query?: string;
  readonly ageMs: number;
  readonly client: string | null;
  /** CPU time that its thread has taken since it began; null where that is not known. */
  readonly cpuMs: number | null;
  /** How long it waited for a thread; null where that is not measured. */
  readonly queueMs: number | null;
  /** Bytes of the bodies, so far. */
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

/** The oldest first. */
export function listRequests(workers: readonly WorkerRequests[], withQuery: boolean): ListedRequest[] {
  const all = workers.flatMap(({ worker, pid, unresponsive, requests }) =>
    requests.map((request) => listed({ worker, pid: pid ?? null, unresponsive }, request, withQuery)),
  );
  return all.sort((one, other) => other.ageMs - one.ageMs);
}

function listed(
  about: Pick<ListedRequest, 'worker' | 'pid' | 'unresponsive'>,
  { method, path, ms, thread, client, query = '', ...costs }: RequestDetail,
  withQuery: boolean,
): ListedRequest {
  const { cpuMs = null, queueMs = null, receivedBytes = null, sentBytes = null } = costs;
  const known = {
    ...about,
    thread: thread ?? null,
    method,
    path,
    ageMs: ms,
    client: client ?? null,
    cpuMs,
    queueMs,
    receivedBytes,
    sentBytes,
  };
  return withQuery ? { ...known, query } : known;
}

const columns: readonly Column[] = [
  { title: 'WORKER', align: 'right' },
  { title: 'THREAD' },
  { title: 'AGE', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'CLIENT' },
  { title: 'METHOD' },
  { title: 'PATH' },
];

/** From this width on there is room for the bytes, and for the time in a queue. */
const wide = 110;
const costColumns: readonly Column[] = [
  { title: 'QUEUE', align: 'right' },
  { title: 'IN', align: 'right' },
  { title: 'OUT', align: 'right' },
];

export function renderRequests(workers: readonly WorkerRequests[], withQuery: boolean, width: number): string {
  const isWide = width >= wide;
  const rows = listRequests(workers, withQuery).map((request) => {
    const { worker, unresponsive, thread, method, path, query, ageMs, client, cpuMs } = request;
    return [
      `${worker}${unresponsive ? '!' : ''}`,
      thread === null ? '-' : thread.replace('thread ', ''),
      duration(ageMs),
      cpuMs === null ? '-' : duration(cpuMs),
      ...(isWide ? costsOf(request) : []),
      clean(client ?? '-'),
      clean(method),
      clean(query ? `${path}?${query}` : path),
    ];
  });
  const notes = workers.flatMap(({ worker, pid, isKnown, more, unresponsive }) => {
    if (!isKnown) return [`worker ${worker} (${pid}) did not answer in time; it had ${more} requests`];
    const silent = unresponsive ? [`! worker ${worker} (${pid}) is unresponsive`] : [];
    return more > 0 ? [...silent, `worker ${worker} (${pid}) has ${more} more`] : silent;
  });
  const shown = isWide ? columns.toSpliced(4, 0, ...costColumns) : columns;
  const list = rows.length === 0 ? ['no request runs'] : table(shown, rows, width);
  return [...list, ...notes.map((note) => cut(note, width))].join('\n');
}

function costsOf({ queueMs, receivedBytes, sentBytes }: ListedRequest): string[] {
  const size = (value: number | null) => (value === null ? '-' : byteCount(value));
  return [queueMs === null ? '-' : duration(queueMs), size(receivedBytes), size(sentBytes)];
}

/** Of one worker, as the control socket gives it. */
export interface WorkerStacks {
  readonly pid: number;
  readonly worker: number;
  readonly unresponsive: boolean;
  readonly silentMs: number;
  readonly stacks?: readonly ThreadStack[];
  readonly requests?: readonly RunningRequest[];
  readonly error?: string;
}

/** Not cut to a width: a file's name may be needed whole. */
export function renderStacks(workers: readonly WorkerStacks[]): string {
  return workers.map(renderWorker).join('\n\n');
}

function renderWorker({
  pid,
  worker,
  unresponsive,
  silentMs,
  stacks = [],
  requests = [],
  error,
}: WorkerStacks): string {
  const silence = unresponsive ? `, UNRESPONSIVE for ${duration(silentMs)}` : '';
  const running = requests.map(({ method, path, ms }) => `  on ${clean(method)} ${clean(path)} for ${duration(ms)}`);
  const threads = stacks.flatMap(({ thread, stack, request }) => [
    `  ${thread}${request === undefined ? '' : `, on ${clean(request)}`}`,
    ...stack.split('\n').map((line) => `    ${clean(line)}`),
  ]);
  return [
    `worker ${worker} (${pid})${silence}`,
    ...(error === undefined ? [] : [`  ${clean(error)}`]),
    ...running,
    ...threads,
  ].join('\n');
}
