/** The screen of `tsgun top` as lines of text. Pure: the same state gives the same lines. */

import { bytes, clean, count, cut, duration, table } from '../text.ts';
import type { Row, Sample } from './samples.ts';

export const sortings = ['worker', 'cpu', 'memory', 'requests/s', 'running', 'age'] as const;
export type Sorting = (typeof sortings)[number];

export interface View {
  /** Undefined until the first answer. */
  readonly sample: Sample | undefined;
  readonly sorting: Sorting;
  /** The pid of the worker that keys act on. */
  readonly selected: number | undefined;
  /** What the last key has done, or asks. */
  readonly message: string;
  /** Text in place of the tables, and its first line that shows. */
  readonly text: { readonly lines: readonly string[]; readonly from: number } | undefined;
  readonly clock: string;
}

export interface Line {
  readonly text: string;
  readonly style?: 'inverse' | 'bold';
}

const keys = 'q quit  s stacks  r reload  +/- scale  k kill  o sort  up/down select';
const textKeys = 'up/down scroll  q back';

export function draw(view: View, width: number, height: number): Line[] {
  const body = view.text === undefined ? tables(view, width, height - 1) : page(view.text, width, height - 1);
  const lines = body.slice(0, height - 1);
  while (lines.length < height - 1) lines.push({ text: '' });
  return [...lines, { text: cut(view.text === undefined ? keys : textKeys, width), style: 'inverse' }];
}

/** By which the rows are in order; the selection moves along them. */
export function sorted(rows: readonly Row[], sorting: Sorting): Row[] {
  const weights: Record<Sorting, (row: Row) => number> = {
    worker: ({ worker }) => -worker,
    cpu: ({ cpu = -1 }) => cpu,
    memory: ({ rssBytes }) => rssBytes,
    'requests/s': ({ requestsPerSecond = -1 }) => requestsPerSecond,
    running: ({ running }) => running,
    age: ({ current }) => current?.ms ?? -1,
  };
  const weight = weights[sorting];
  return [...rows].sort((one, other) => weight(other) - weight(one) || one.worker - other.worker);
}

function page({ lines, from }: NonNullable<View['text']>, width: number, height: number): Line[] {
  return lines.slice(from, from + height).map((text) => ({ text: cut(text, width) }));
}

function tables(view: View, width: number, height: number): Line[] {
  const { sample } = view;
  if (sample === undefined) return [{ text: cut(view.message, width) }];
  const head = header(view, sample, width);
  const rows = workers(view, sample, width);
  // The workers first, and below them as many requests as there is room for.
  const room = height - head.length - rows.length - 1;
  return [...head, ...rows, ...(room >= 2 ? [{ text: '' }, ...requests(sample, width, room)] : [])];
}

function header(
  { clock, message }: View,
  { look, requestsPerSecond, queue, quantilesMs }: Sample,
  width: number,
): Line[] {
  const { pid, version, app, state, generation, uptimeMs, wanted, ready, workers, lastExit, workerClass } = look.status;
  const silent = workers.filter(({ unresponsive }) => unresponsive).length;
  const running = look.running.reduce((sum, each) => sum + each.requests.length + each.more, 0);
  const about = `tsgun ${version}, ${workerClass}, master ${pid}, up ${duration(uptimeMs)}: ${clean(app)}`;
  const title = cut(about, Math.max(0, width - clock.length - 2));
  const rate = requestsPerSecond === undefined ? '-' : count(Math.round(requestsPerSecond));
  const exit =
    lastExit === null ? 'none' : `worker ${lastExit.worker}, ${lastExit.reason}, ${duration(lastExit.agoMs)} ago`;
  const lines = [
    `${title.padEnd(width - clock.length)}${clock}`,
    `${state}, generation ${generation}; workers: ${ready} of ${wanted} ready${silent === 0 ? '' : `, ${silent} UNRESPONSIVE`}`,
    `requests: ${rate} per second, ${count(running)} running${latency(quantilesMs)}`,
    `accept queue: ${queue ?? '-'}; exits: ${look.counters.exits}; last exit: ${exit}`,
    message,
  ];
  return lines.map((text, index) => ({ text: cut(text, width), ...(index === 0 ? { style: 'bold' } : {}) }) as Line);
}

/** Bounds, as the requests were counted in buckets. */
function latency(quantilesMs: readonly number[] | undefined): string {
  if (quantilesMs === undefined) return '';
  const [p50, p95, p99] = quantilesMs.map((ms) => (ms === Number.POSITIVE_INFINITY ? 'over 10 s' : `<${duration(ms)}`));
  return `; p50 ${p50}, p95 ${p95}, p99 ${p99}`;
}

/** From this width on there is room for the event loop, if that is measured. */
const wide = 100;

const columns = [
  { title: 'WORKER', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'GEN', align: 'right' },
  { title: 'STATE' },
  { title: 'REQ/S', align: 'right' },
  { title: 'RUN', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'MEMORY', align: 'right' },
] as const;
const loopColumns = [
  { title: 'LOOP', align: 'right' },
  { title: 'LAG', align: 'right' },
] as const;

function workers({ sorting, selected }: View, { rows }: Sample, width: number): Line[] {
  const inOrder = sorted(rows, sorting);
  const hasLoop = width >= wide && rows.some(({ utilization }) => utilization !== undefined);
  const cells = inOrder.map((row) => [
    String(row.worker),
    String(row.pid ?? '-'),
    String(row.generation),
    row.unresponsive ? 'SILENT' : row.state,
    row.requestsPerSecond === undefined ? '-' : count(Math.round(row.requestsPerSecond)),
    count(row.running),
    row.cpu === undefined ? '-' : `${Math.round(row.cpu * 100)} %`,
    bytes(row.rssBytes),
    ...(hasLoop ? loopOf(row) : []),
    row.current === undefined
      ? ''
      : `${duration(row.current.ms)} ${clean(row.current.method)} ${clean(row.current.path)}`,
  ]);
  const [title = '', ...lines] = table(
    [...columns, ...(hasLoop ? loopColumns : []), { title: 'OLDEST REQUEST' }],
    cells,
    width,
  );
  return [
    { text: title, style: 'bold' },
    ...lines.map(
      (text, index): Line =>
        inOrder[index]!.pid === selected ? { text: text.padEnd(width), style: 'inverse' } : { text },
    ),
  ];
}

/** One that is silent has not written what it measured. */
function loopOf({ utilization, lagMs, unresponsive }: Row): string[] {
  if (unresponsive) return ['-', '-'];
  const percent = utilization === undefined ? '-' : `${Math.round(utilization * 100)} %`;
  return [percent, lagMs === undefined ? '-' : duration(lagMs)];
}

const requestColumns = [
  { title: 'AGE', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'WORKER', align: 'right' },
  { title: 'THREAD', align: 'right' },
  { title: 'CLIENT' },
  { title: 'REQUEST' },
] as const;

/** The oldest of all workers. */
function requests({ look }: Sample, width: number, height: number): Line[] {
  const all = look.running.flatMap(({ worker, requests }) => requests.map((request) => ({ worker, ...request })));
  const oldest = all.sort((one, other) => other.ms - one.ms).slice(0, Math.max(0, height - 1));
  if (oldest.length === 0) return [{ text: 'no request runs' }];
  const cells = oldest.map(({ worker, ms, cpuMs, thread, client, method, path }) => [
    duration(ms),
    cpuMs === undefined ? '-' : duration(cpuMs),
    String(worker),
    thread?.replace('thread ', '') ?? '-',
    clean(client ?? '-'),
    `${clean(method)} ${clean(path)}`,
  ]);
  const [title = '', ...lines] = table(requestColumns, cells, width);
  return [{ text: title, style: 'bold' }, ...lines.map((text): Line => ({ text }))];
}
