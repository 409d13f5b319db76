/**
 * What fifty slow requests do to light ones in a worker of eight threads, with and without `--limit-concurrency /export=2`.
 *
 *   node bench/bulkheads.mjs
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ask, offer } from './lib/arrivals.mjs';
import { onAllCores, tsgunPool } from './lib/pools.mjs';
import { judge, median, milliseconds, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const slowClients = 50;
const lightRate = 100;
const seconds = 5;
const rounds = 5;
const threads = ['--threads', '8'];
const bulkhead = [...threads, '--limit-concurrency', '/export=2'];

printMachine();
const contestants = [
  ['light ones alone', bulkhead, 0],
  ['with slow ones, a bulkhead', bulkhead, slowClients],
  ['with slow ones, no bulkhead', threads, slowClients],
];
const measured = new Map(contestants.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const [name, options, slow] of round % 2 === 0 ? contestants : contestants.toReversed())
    measured.get(name).push(await measure(options, slow));
const of = (name, pick) => median(measured.get(name).map(pick));
const p99s = contestants.map(([name]) => of(name, ({ p99 }) => p99));
printTable([
  ['threaded, 8 threads', 'p50 of light ones', 'p99', 'light ones failed', 'slow ones answered'],
  ...contestants.map(([name], index) => [
    name,
    milliseconds(of(name, ({ p50 }) => p50)),
    milliseconds(p99s[index]),
    String(measured.get(name).reduce((sum, { failed }) => sum + failed, 0)),
    String(of(name, ({ exports }) => exports)),
  ]),
]);
// How much one round alone differs from another: that is what "as without them" can mean.
const alone = measured.get(contestants[0][0]).map(({ p99 }) => p99);
judge('the p99 of light ones is within what it is alone in one of the rounds', p99s[1] <= Math.max(...alone));

async function measure(options, slow) {
  const server = await onAllCores(tsgunPool('threaded', benchPath('apps/waits.mjs'), 1, options));
  let isOver = false;
  let exports = 0;
  const loop = async () => {
    while (!isOver) if ((await ask(server.port, '/export')).status === 200) exports++;
  };
  const loops = Array.from({ length: slow }, loop);
  try {
    await sleep(1000);
    const light = offer(server.port, lightRate, '/light');
    await sleep(seconds * 1000);
    await light.stop();
    const waits = light.results.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share) => waits[Math.ceil(waits.length * share) - 1];
    const failed = light.results.filter(({ status }) => status !== 200).length;
    return { p50: at(0.5), p99: at(0.99), failed, exports };
  } finally {
    isOver = true;
    await Promise.all(loops);
    await server.stop();
  }
}
