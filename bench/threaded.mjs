/**
 * What threads cost and what they give: small requests against node:http, CPU work on two threads against one, light
 * requests beside heavy ones, and large bodies.
 *
 *   node bench/threaded.mjs [hello] [cpu] [light] [bodies] [--quick] [--rounds N] [--seconds N] [--also NAME=PATH/TO/dist/cli.js …]
 *
 * `--also` adds other builds of tsgun to hello, each with one thread.
 */

import { once } from 'node:events';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { isThere } from './lib/pools.mjs';
import { residentBytes } from './lib/processes.mjs';
import { judge, median, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath, fetchOnce, loadCore, nodeHttp, serverCore, startServer, tsgun } from './lib/servers.mjs';
import { runWrk } from './lib/wrk.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    also: { type: 'string', multiple: true, default: [] },
  },
});
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
if (values.seconds !== undefined) pace.seconds = Number(values.seconds);
/** A turn in which the server did not get this part of the cores it has threads for is repeated. */
const enoughCores = 0.95;
const maxRepeats = 5;
const bothCores = `${serverCore},${loadCore}`;
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** @returns {import('./lib/servers.mjs').Contestant} an app of apps/ on so many threads */
function threaded(app, threads) {
  const file = fileURLToPath(new URL(`../apps/${app}.ts`, import.meta.url));
  const options = ['--worker-class', 'threaded', '--threads', String(threads)];
  return {
    name: `${app} on ${threads}`,
    command: (_app, port) => [process.execPath, cli, file, '--bind', `127.0.0.1:${port}`, ...options],
  };
}

/** Servers of other languages that run requests on threads, with one of them. @type {import('./lib/servers.mjs').Contestant[]} */
const peers = [
  {
    name: 'Puma',
    command: (app, port) => [
      ...['puma', '--quiet', '--environment', 'production', '--threads', '1:1', '--workers', '0'],
      ...['--bind', `tcp://127.0.0.1:${port}`, benchPath(`apps/${app}.ru`)],
    ],
  },
  {
    name: 'gunicorn gthread',
    command: (app, port) => [
      ...['gunicorn', '--worker-class', 'gthread', '--threads', '1', '--workers', '1', '--keep-alive', '65'],
      ...['--bind', `127.0.0.1:${port}`, '--chdir', benchPath('apps'), `${app}:app`],
    ],
  },
].filter(({ command }) => isThere(command('', 0)[0]));

const contests = { hello, cpu, light, bodies };
const unknown = positionals.find((name) => !(name in contests));
if (unknown !== undefined) {
  console.error(`no contest ${JSON.stringify(unknown)}; there are ${Object.keys(contests).join(', ')}`);
  process.exit(1);
}
printMachine();
for (const name of positionals.length > 0 ? positionals : Object.keys(contests)) await contests[name]();

/** Main thread and thread share one core: what a request costs in all. */
async function hello() {
  const threads = (count) => ['--worker-class', 'threaded', '--threads', String(count)];
  const one = tsgun(undefined, '1 thread', threads(1));
  const four = tsgun(undefined, '4 threads', threads(4));
  const builds = values.also.map((text) => text.split('=')).map(([name, cli]) => tsgun(cli, name, threads(1)));
  const contestants = [nodeHttp, tsgun(undefined, 'async'), one, ...builds, four, ...peers];
  const results = await hold({ app: 'hello', load: { connections: 32 } }, contestants, pace);
  const node = results.get(nodeHttp.name);
  console.log('### hello: hello world, keep-alive, 32 connections, all threads on one core\n');
  printTable([
    [' ', 'requests/s', 'to node:http', 'p50', 'p99', 'CPU µs/request', 'node:http to it', 'others took'],
    ...Array.from(results, ([name, run]) => [
      name,
      rate(run.rate),
      ratio(run.rate / node.rate),
      milliseconds(run.p50),
      milliseconds(run.p99),
      run.cpuUs.toFixed(1),
      ratio(node.cpuUs / run.cpuUs),
      `${Math.round(run.foreign * 100)} %`,
    ]),
  ]);
  for (const [name, { errors }] of results) if (errors !== '') judge(`${name} without errors: ${errors}`, false);
  const { rate: ours } = results.get('1 thread');
  judge('1 thread: at least 0.7× node:http', ours / node.rate >= 0.7);
  for (const { name } of peers) judge(`1 thread: at least 5× ${name} with one`, ours / results.get(name).rate >= 5);
  console.log();
}

/** Requests of some ten milliseconds each, with both cores for the server: the load is nothing beside it. */
async function cpu() {
  const runs = new Map([1, 2].map((threads) => [threads, []]));
  for (let round = 0; round < pace.rounds; round++)
    for (const [threads, list] of runs) list.push(await compute(threads));
  const of = (key) => Array.from(runs.values(), (list) => median(list.map((run) => run[key])));
  const [one, two] = of('rate');
  const [coresOne, coresTwo] = of('cores');
  console.log('### cpu: GET /30 of apps/fib.ts, 8 connections, two cores\n');
  printTable([
    ['threads', 'requests/s', 'to one', 'cores it got'],
    ['1', one.toFixed(0), ratio(1), coresOne.toFixed(2)],
    ['2', two.toFixed(0), ratio(two / one), coresTwo.toFixed(2)],
  ]);
  judge('2 threads: at least 1.8× one', two / one >= 1.8);
  console.log();
}

async function compute(threads) {
  const server = await startServer(threaded('fib', threads), '', bothCores);
  try {
    const target = { ...server, url: `${server.url}30` };
    await runWrk(target, { connections: 8 }, 1);
    let best = { rate: 0, cores: 0 };
    for (let turn = 0; turn <= maxRepeats && best.cores < enoughCores * threads; turn++) {
      const { rate, cpuUs } = await runWrk(target, { connections: 8 }, pace.seconds);
      const cores = (rate * cpuUs) / 1e6;
      if (cores > best.cores) best = { rate, cores };
    }
    return best;
  } finally {
    await server.stop();
  }
}

/** Two requests that compute for as long as the measurement takes, and light ones beside them. */
async function light() {
  const server = await startServer(threaded('fib', 4), '', bothCores);
  try {
    const light = { ...server, url: `${server.url}1` };
    const alone = await runWrk(light, { connections: 16 }, pace.seconds);
    const heavy = [1, 2].map(() =>
      request(`${server.url}45`, { agent: false })
        .end()
        .on('error', () => {}),
    );
    const beside = await runWrk(light, { connections: 16 }, pace.seconds);
    for (const each of heavy) each.destroy();
    console.log('### light: GET /1 of apps/fib.ts on 16 connections, 4 threads, two cores\n');
    printTable([
      ['light requests', 'requests/s', 'p50', 'p99'],
      ['alone', rate(alone.rate), milliseconds(alone.p50), milliseconds(alone.p99)],
      ['beside two of GET /45', rate(beside.rate), milliseconds(beside.p50), milliseconds(beside.p99)],
    ]);
    judge(`p99 beside them under 50 ms ${beside.errors}`, beside.p99 < 50 && beside.errors === '');
    console.log();
  } finally {
    await server.stop();
  }
}

/** 1 GB up and down again at once, through apps/echo.ts; then a reader that stops. */
async function bodies() {
  const megabytes = values.quick ? 256 : 1024;
  const server = await startServer(threaded('echo', 2), '', bothCores);
  try {
    for (let count = 0; count < 50; count++) await fetchOnce(server.url);
    await echo(server, 64, () => {});
    const before = residentBytes(server.workerPid);
    let most = before;
    const startedAt = performance.now();
    const bytes = await echo(server, megabytes, () => {
      most = Math.max(most, residentBytes(server.workerPid));
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const grown = (most - before) / 2 ** 20;
    console.log(`### bodies: ${megabytes} MB through apps/echo.ts\n`);
    console.log(`${(bytes / 2 ** 20 / seconds).toFixed(0)} MB/s each way; memory grew by ${grown.toFixed(0)} MB\n`);
    judge('all of it came back', bytes === megabytes * 2 ** 20);
    judge('memory grew by less than 64 MB', grown < 64);
    console.log();
  } finally {
    await server.stop();
  }
}

/** @returns how many bytes came back */
async function echo(server, megabytes, look) {
  const sent = request(server.url, { method: 'POST', agent: false });
  const piece = Buffer.alloc(2 ** 20, 'x');
  const answered = once(sent, 'response').then(async ([response]) => {
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    return bytes;
  });
  for (let count = 0; count < megabytes; count++) {
    if (!sent.write(piece)) await once(sent, 'drain');
    look();
  }
  sent.end();
  return await answered;
}
