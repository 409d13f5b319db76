/**
 * What one request that aborts its worker every three seconds costs all others: 60 requests a second, each on a connection
 * of its own, for 45 s.
 *
 *   node bench/crashes.mjs [--seconds N]
 */

import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gunicorn, isThere, onAllCores, tsgunPool } from './lib/pools.mjs';
import { judge, milliseconds, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '45' } } });
const lengthMs = Number(values.seconds) * 1000;
const requestEveryMs = 1000 / 60;
const abortEveryMs = 3000;
/** A request that fails this soon before or after an abort was in the hands of the worker that died. */
const slackMs = 250;
/** Requests come every 17 ms: so long without an answer means that nobody serves. */
const silenceMs = 250;

printMachine();
const app = benchPath('apps/crash.js');
const contestants = [2, 4].flatMap((workers) => [
  [`tsgun async, ${workers} workers`, tsgunPool('async', app, workers)],
  [`tsgun sync, ${workers} workers`, tsgunPool('sync', app, workers)],
  ...(isThere('gunicorn') ? [[`gunicorn sync, ${workers} workers`, gunicorn(workers, 'crash:app')]] : []),
]);
const rows = [
  [
    'one abort every 3 s',
    'aborts',
    'requests',
    'failed with a dead worker',
    'failed otherwise',
    'p99',
    'longest',
    'nobody serves',
  ],
];
for (const [name, pool] of contestants) {
  const { aborts, requests, withWorker, others, p99, longest, silentShare } = await measure(pool);
  const waits = [p99, longest].map(milliseconds);
  rows.push([
    name,
    ...[aborts, requests, withWorker, others].map(String),
    ...waits,
    `${(silentShare * 100).toFixed(1)} %`,
  ]);
  if (name.startsWith('tsgun'))
    judge(`${name}: nobody else's request failed, and somebody always served`, others === 0 && silentShare === 0);
}
console.log();
printTable(rows);

async function measure(pool) {
  const server = await onAllCores(pool);
  try {
    const startedAt = performance.now();
    const running = [];
    const aborts = [];
    for (let count = 0; performance.now() - startedAt < lengthMs; count++) {
      if (performance.now() - startedAt >= (aborts.length + 1) * abortEveryMs) {
        aborts.push(performance.now());
        running.push(ask(`${server.url}abort`).then(() => undefined));
      }
      running.push(ask(server.url));
      await sleep(startedAt + (count + 1) * requestEveryMs - performance.now());
    }
    const results = (await Promise.all(running)).filter((result) => result !== undefined);
    return summary(results, aborts, startedAt);
  } finally {
    await server.stop();
  }
}

/** On a connection of its own. */
function ask(url) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const end = (isGood) => resolve({ isGood, startedAt, endedAt: performance.now() });
    const request = get(url, { agent: false, timeout: 10_000 }, (response) => {
      response.on('error', () => end(false));
      response.resume().on('end', () => end(response.statusCode === 200));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => end(false));
  });
}

function summary(results, aborts, startedAt) {
  const failed = results.filter(({ isGood }) => !isGood);
  const isNear = ({ endedAt }) => aborts.some((at) => Math.abs(endedAt - at) < slackMs);
  const withWorker = failed.filter(isNear).length;
  const good = results.filter(({ isGood }) => isGood);
  const waits = good.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((one, other) => one - other);
  const ends = [startedAt, ...good.map(({ endedAt }) => endedAt).sort((one, other) => one - other)];
  const silences = ends
    .slice(1)
    .map((at, index) => at - ends[index])
    .filter((ms) => ms > silenceMs);
  return {
    aborts: aborts.length,
    requests: results.length,
    withWorker,
    others: failed.length - withWorker,
    p99: waits[Math.ceil(waits.length * 0.99) - 1],
    longest: waits.at(-1),
    silentShare: silences.reduce((sum, ms) => sum + ms, 0) / lengthMs,
  };
}
