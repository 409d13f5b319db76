/**
 * The sync class: whether anyone waits for a busy worker, what a connection per request costs, and what a core more brings.
 *
 *   node bench/sync.mjs [--quick]
 */

import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { command, gunicorn, isThere, nodeCluster, onAllCores, tsgunPool } from './lib/pools.mjs';
import { judge, median, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const rounds = values.quick ? 1 : 5;
const seconds = values.quick ? 2 : 4;

printMachine();
await patience();
await connections();
await cores();

/** While one of two workers is at work for 3 s, the other serves everyone else. */
async function patience() {
  const rows = [['while a worker', 'requests', 'p50', 'p99', 'longest']];
  for (const kind of ['block', 'await']) {
    const server = await onAllCores(tsgunPool('sync', benchPath('apps/busy.js'), 2));
    try {
      const slow = timed(`${server.url}${kind}`);
      await timed(`${server.url}started`);
      const times = [];
      let left = 200;
      const client = async () => {
        while (left-- > 0) times.push(await timed(server.url));
      };
      await Promise.all(Array.from({ length: 8 }, client));
      times.sort((a, b) => a - b);
      const p99 = times[Math.ceil(times.length * 0.99) - 1];
      const shown = [median(times), p99, times.at(-1)].map(milliseconds);
      rows.push([`${kind}s for ${((await slow) / 1000).toFixed(1)} s`, String(times.length), ...shown]);
      judge(`one worker ${kind}s: 200 others from 8 clients, p99 under 100 ms`, p99 < 100);
    } finally {
      await server.stop();
    }
  }
  printTable(rows);
}

/** A new connection for each request, two workers each. */
async function connections() {
  const contestants = [
    ['tsgun sync', tsgunPool('sync', benchPath('apps/fib.mjs'), 2)],
    ['node:cluster SCHED_RR', nodeCluster('rr', 2)],
    ['node:cluster SCHED_NONE', nodeCluster('none', 2)],
    ...(isThere('gunicorn') ? [['gunicorn sync', gunicorn(2)]] : []),
  ];
  const rates = await contest(contestants, 'close');
  const own = rates.get('tsgun sync');
  const others = [...rates].map(([name, value]) => [name, rate(value), ratio(own / value)]);
  printTable([['a connection per request', 'requests/s', 'tsgun to it'], ...others]);
  judge('at least as many as node:cluster SCHED_RR', own >= rates.get('node:cluster SCHED_RR'));
}

/** Requests that are nothing but work; what a second core is worth on this machine, now, the bare cluster says. */
async function cores() {
  const app = command('apps/fib.ts');
  const rates = await contest(
    [1, 2].flatMap((workers) => [
      [`tsgun ${workers}`, tsgunPool('sync', app, workers)],
      [`node:cluster ${workers}`, nodeCluster('none', workers)],
    ]),
    'close',
    '27',
  );
  const rows = ['tsgun', 'node:cluster'].map((name) => {
    const [one, two] = [rates.get(`${name} 1`), rates.get(`${name} 2`)];
    return { name, one, two, gain: two / one };
  });
  printTable([
    ['GET /27', 'requests/s of one worker', 'of two', 'gain'],
    ...rows.map(({ name, one, two, gain }) => [name, one.toFixed(0), two.toFixed(0), ratio(gain)]),
  ]);
  judge('two workers do 1.8 times the work of one', rows[0].gain >= 1.8);
}

/** In turns, every other round in reverse; medians. */
async function contest(contestants, script, path = '1') {
  const runs = new Map(contestants.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, contestant] of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const server = await onAllCores(contestant);
      try {
        await server.load(script, path, 1);
        runs.get(name).push(await server.load(script, path, seconds));
      } finally {
        await server.stop();
      }
    }
  return new Map(Array.from(runs, ([name, list]) => [name, median(list)]));
}

/** Milliseconds from the start to the end of the answer, on a connection of its own. */
function timed(url) {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - startedAt));
    }).on('error', reject);
  });
}
