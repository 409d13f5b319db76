/** The page that the figures make: docs/models.md. What it says of a row holds only if `claims` do. */

import { table } from '../lib/report.mjs';

const count = (value) => (Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en'));
const time = (ms) => {
  if (Number.isNaN(ms)) return '–';
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
};
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const times = (value) => `${value.toFixed(1)}×`;

/**
 * @typedef {import('./rows.mjs').Row & { result: import('./measure.mjs').Turn | undefined }} Measured
 * @param {readonly Measured[]} rows
 */
export function tableOf(rows) {
  return table([
    [
      ' ',
      'light/s alone',
      'kept alive',
      'CPU µs each',
      'light/s beside a heavy one',
      'p99 beside it',
      'p99 kept alive',
      'the heavy one',
      'heavy/s',
      'resident',
      'of it its own',
    ],
    ...rows
      .filter(({ result }) => result !== undefined)
      .map(({ name, result }) => [
        name,
        count(result.alone),
        count(result.aloneKept),
        count(result.cpuUs),
        count(result.beside),
        time(result.p99),
        time(result.p99Kept),
        `${result.heavySeconds.toFixed(1)} s`,
        count(result.heavy),
        mib(result.resident),
        mib(result.ownBytes),
      ]),
  ]);
}

/** @param {readonly Measured[]} rows */
export function panelsOf(rows) {
  const values = (of) => rows.map(({ result }) => result && of(result));
  const panel = (head, unit, better, of, show) => ({ head, unit, better, values: values(of), show });
  return [
    panel('Light, alone', 'requests/s', 'more', ({ alone }) => alone, count),
    panel('Light beside heavy', 'requests/s', 'more', ({ beside }) => beside, count),
    panel('Light beside heavy', 'p99', 'less', ({ p99 }) => p99, time),
    panel('Light beside heavy', 'p99, kept alive', 'less', ({ p99Kept }) => p99Kept, time),
    panel('Heavy', 'requests/s', 'more', ({ heavy }) => heavy, count),
    panel('Memory', 'resident', 'less', ({ resident }) => resident, mib),
  ];
}

/**
 * What the page takes for granted.
 * @param {Record<string, import('./measure.mjs').Turn>} by
 * @param {number} n workers, on as many cores
 * @returns {[claim: string, holds: boolean][]}
 */
export function claims({ sync, syncs, threaded, async, asyncs }, n) {
  const waits = ({ p99, heavySeconds }) => p99 / 1000 / heavySeconds;
  return [
    ['1 sync worker: the light ones wait for the heavy one', waits(sync) > 0.5],
    [`${n} sync workers: they do not`, waits(syncs) < 0.1],
    ['threads: they do not', waits(threaded) < 0.1],
    ['1 async worker: they wait for the heavy one', waits(async) > 0.5],
    [`${n} async workers: those of new connections do not`, waits(asyncs) < 0.1],
    [`${n} async workers: those of kept connections do`, asyncs.p99Kept / 1000 / asyncs.heavySeconds > 0.5],
    ['threads: those of kept connections do not', threaded.p99Kept / 1000 / threaded.heavySeconds < 0.1],
    ['an async worker needs the least CPU for a light one', async.cpuUs < Math.min(sync.cpuUs, threaded.cpuUs)],
    [`${n} sync workers compute 1.5 times as much as one`, syncs.heavy > 1.5 * sync.heavy],
    [`${n} threads compute 1.5 times as much as one sync worker`, threaded.heavy > 1.5 * sync.heavy],
    ['threads need less memory than as many workers', threaded.resident < syncs.resident],
  ];
}

/**
 * @param {readonly Measured[]} rows
 * @param {{ n: number, heavy: number, method: string }} options
 */
export function pageOf(rows, { n, heavy, method }) {
  const by = Object.fromEntries(rows.map(({ key, result }) => [key, result]));
  const lessons = rows.every(({ result }) => result !== undefined) ? lessonsOf(rows, by, n) : [];
  return `# One app, three worker classes

This page serves the same file, \`apps/fib.ts\`, in five ways. A light request is \`GET /1\`, which is almost no work. A heavy
one is \`GET /${heavy}\`, which computes for seconds. For heavy/s each request is \`GET /27\`, which computes for milliseconds.

![The figures below as bars](models.svg)

${tableOf(rows)}

${lessons.join('\n\n')}${lessons.length > 0 ? '\n\n' : ''}## What was compared, and how

${method}
`;
}

function lessonsOf(rows, { sync, syncs, threaded, async, asyncs }, n) {
  const name = Object.fromEntries(rows.map((row) => [row.key, row.name]));
  return [
    '## The lesson, measured',
    `**${name.sync}.** The worker serves one request at a time. While a heavy one computes for ` +
      `${sync.heavySeconds.toFixed(1)} s, all others wait: light requests have a p99 of ${time(sync.p99)}. This class is the ` +
      'simplest, and isolates best: a request shares its process with no other.',
    `**${name.syncs}.** A free worker takes the next connection. So a heavy request occupies one of ${n} workers, and light ` +
      `requests do not wait for it: p99 ${time(syncs.p99)}. Together the workers compute ${times(syncs.heavy / sync.heavy)} as ` +
      `much as one. The price is memory: ${mib(syncs.resident)}. The limit is ${n} heavy requests at once: then light ones ` +
      'wait as in the first row.',
    `**${name.threaded}.** The main thread only moves bytes, and each request computes on a thread of its own. The p99 is ` +
      `${time(threaded.p99)}, and ${time(threaded.p99Kept)} on kept connections, which sync workers do not have. The worker computes ` +
      `${times(threaded.heavy / sync.heavy)} as much as one sync worker, in ${mib(threaded.resident)}; ${n} sync workers need ` +
      `${mib(syncs.resident)}. To hand a light request to a thread and back costs more than the request itself: ` +
      `${count(threaded.cpuUs)} µs of CPU against ${count(async.cpuUs)} µs in an async worker.`,
    `**${name.async}.** A light request costs the least CPU here, ${count(async.cpuUs)} µs, and kept connections carry ` +
      `${count(async.aloneKept)} of them a second. But there is one event loop: a request that computes for ` +
      `${async.heavySeconds.toFixed(1)} s stops all others for that time, p99 ${time(async.p99)}. This class is for requests ` +
      'that wait for something else, not for those that compute.',
    `**${name.asyncs}.** A blocked worker accepts nothing, so a free one takes new connections: p99 ` +
      `${time(asyncs.p99)}. A kept connection stays with its worker. If that one is blocked, its requests wait: p99 ` +
      `${time(asyncs.p99Kept)}. With more workers, fewer clients meet a heavy request; those who meet it wait all the same.`,
  ];
}
