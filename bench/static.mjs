/**
 * `apps/static.ts` under tsgun, against `express.static` on node:http: files of two sizes, and the memory that a gigabyte takes.
 *
 *   node bench/static.mjs [small|large|gigabyte…] [--quick] [--rounds N] [--seconds N]
 */

import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { forgetPeak, residentBytes } from './lib/processes.mjs';
import { judge, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath, startServer } from './lib/servers.mjs';

const kilobyte = 1024;
const megabyte = 2 ** 20;
/** What the worker may grow by: its buffers, and what V8 has not yet given back of them. */
const maxGrowthBytes = 50 * megabyte;

/** `goal` is what tsgun is held to, as a multiple of express.static's requests per second. */
const contests = {
  small: { what: 'a file of 1 KB', path: '1k.txt', bytes: kilobyte, goal: 0.9 },
  large: { what: 'a file of 1 MB', path: '1m.bin', bytes: megabyte, goal: 1 },
};
const gigabyte = { path: '1g.bin', bytes: 1024 * megabyte };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
if (values.seconds !== undefined) pace.seconds = Number(values.seconds);
const names = [...Object.keys(contests), 'gigabyte'];
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`no contest ${JSON.stringify(unknown)}; there are ${names.join(', ')}`);
  process.exit(1);
}

const root = mkdtempSync(join(tmpdir(), 'tsgun-static-'));
const node = ['env', 'NODE_ENV=production', `STATIC_ROOT=${root}`, process.execPath];
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** @type {import('./lib/servers.mjs').Contestant} */
const theirs = {
  name: 'express.static',
  command: (_app, port) => [...node, benchPath('frameworks/serve.mjs'), 'static', String(port)],
};

/** @type {import('./lib/servers.mjs').Contestant} */
const ours = {
  name: 'apps/static.ts',
  command: (_app, port) => [
    ...[...node, path('dist/cli.js'), path('apps/static.ts')],
    ...['--bind', `127.0.0.1:${port}`, '--workers', '1'],
  ],
};

printMachine();
try {
  for (const name of positionals.length > 0 ? positionals : names)
    await (name === 'gigabyte' ? sendGigabyte() : run(name, contests[name]));
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function run(name, { what, path, bytes, goal }) {
  writeFileSync(join(root, path), 'x'.repeat(bytes));
  const results = await hold({ app: 'static', load: { connections: 32, path } }, [theirs, ours], pace);
  const base = results.get(theirs.name);
  const rows = Array.from(results, ([contestant, result]) => [
    contestant,
    rate(result.rate),
    ratio(result.rate / base.rate),
    milliseconds(result.p50),
    milliseconds(result.p99),
    result.cpuUs.toFixed(1),
    ratio(base.cpuUs / result.cpuUs),
    `${Math.round(result.foreign * 100)} %`,
  ]);
  console.log(`### ${name}: ${what}\n`);
  console.log(`Medians of ${pace.rounds} rounds of ${pace.seconds} s; server and load have a core each.\n`);
  printTable([
    [' ', 'requests/s', 'to Express', 'p50', 'p99', 'CPU µs/request', 'Express to it', 'others took'],
    ...rows,
  ]);
  for (const [contestant, { errors }] of results)
    if (errors !== '') judge(`${contestant} without errors, else the run says nothing: ${errors}`, false);
  judge(`at least ${goal}× express.static`, results.get(ours.name).rate / base.rate >= goal);
  console.log();
}

async function sendGigabyte() {
  writeLarge(join(root, gigabyte.path), gigabyte.bytes);
  console.log('### gigabyte: a file of 1 GB, twice; the rate is that of the second time\n');
  const rows = [];
  for (const contestant of [theirs, ours]) rows.push(await download(contestant));
  const inMegabytes = (bytes) => `${(bytes / megabyte).toFixed(1)} MB`;
  printTable([
    [' ', 'MB/s', 'before', 'peak, first time', 'peak, second time', 'growth'],
    ...rows.map(({ name, seconds, before, first, second }) => [
      name,
      (gigabyte.bytes / megabyte / seconds).toFixed(0),
      ...[before, first, second, Math.max(first, second) - before].map(inMegabytes),
    ]),
  ]);
  judge(
    'all bytes arrive',
    rows.every(({ received }) => received === gigabyte.bytes),
  );
  const { before, first, second } = rows[1];
  const isFlat = Math.max(first, second) - before < maxGrowthBytes;
  judge(`the worker grows by less than ${inMegabytes(maxGrowthBytes)}`, isFlat);
  judge('at least as fast as express.static', rows[1].seconds <= rows[0].seconds);
  console.log();
}

/** Real bytes, a megabyte at a time: what a sparse file lacks is not read from anywhere. */
function writeLarge(file, bytes) {
  const descriptor = openSync(file, 'w');
  const piece = Buffer.alloc(megabyte, 'x');
  for (let written = 0; written < bytes; written += piece.length) writeSync(descriptor, piece);
  closeSync(descriptor);
}

async function download(contestant) {
  const server = await startServer(contestant, 'static');
  try {
    const url = `${server.url}${gigabyte.path}`;
    const before = residentBytes(server.workerPid);
    const first = await peakOf(server, () => count(url));
    const startedAt = performance.now();
    let received = 0;
    const second = await peakOf(server, async () => (received = await count(url)));
    const seconds = (performance.now() - startedAt) / 1000;
    return { name: contestant.name, received, seconds, before, first, second };
  } finally {
    await server.stop();
  }
}

async function peakOf({ workerPid }, action) {
  forgetPeak(workerPid);
  await action();
  return residentBytes(workerPid, 'VmHWM');
}

async function count(url) {
  const [response] = await once(get(url, { agent: false }), 'response');
  let bytes = 0;
  response.on('data', (piece) => (bytes += piece.length));
  await once(response, 'end');
  return bytes;
}
