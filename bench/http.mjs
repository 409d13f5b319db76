/**
 * Requests per second against node:http, and against nginx where it can do the same.
 *
 *   node bench/http.mjs [CONTEST…] [--quick] [--rounds N] [--seconds N] [--also NAME=PATH/TO/dist/cli.js …]
 */

import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { judge, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { nginx, nodeHttp, tsgun } from './lib/servers.mjs';

/** `goal` is what tsgun is held to, as a multiple of node:http's requests per second. */
const contests = {
  hello: {
    what: 'hello world, keep-alive, 32 connections',
    app: 'hello',
    load: { connections: 32 },
    goal: 1.5,
    goalNginx: 0.8,
  },
  pipelined: {
    what: '16 requests pipelined, 32 connections',
    app: 'hello',
    load: { connections: 32, script: 'pipelined' },
    goal: 4,
  },
  'body-10k': { what: 'body of 10 KB', app: 'body-10k', load: { connections: 32 }, goal: 1.2 },
  'body-100k': { what: 'body of 100 KB', app: 'body-100k', load: { connections: 32 }, goal: 1 },
  post: { what: 'POST of 1 MB, read by the app', app: 'drain', load: { connections: 32, script: 'post' }, goal: 1 },
  close: {
    what: 'a connection per request, 32 at once',
    app: 'hello',
    load: { connections: 32, script: 'close' },
    goal: 1.2,
    goalCpu: 1.2,
  },
  browser: {
    what: 'request with 20 header fields',
    app: 'hello',
    load: { connections: 32, script: 'browser' },
    goal: 1.5,
  },
};

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

const builds = values.also.map((text) => {
  const [name, cli] = text.split('=');
  return tsgun(cli, name);
});

const unknown = positionals.find((name) => !(name in contests));
if (unknown !== undefined) {
  console.error(`no contest ${JSON.stringify(unknown)}; there are ${Object.keys(contests).join(', ')}`);
  process.exit(1);
}

printMachine();
console.log(`Medians of ${pace.rounds} rounds of ${pace.seconds} s; server and load have a core each.\n`);
for (const name of positionals.length > 0 ? positionals : Object.keys(contests)) await run(name, contests[name]);

async function run(name, contest) {
  const contestants = [nodeHttp, tsgun(), ...builds, ...(contest.app === 'hello' ? [nginx] : [])];
  const results = await hold(contest, contestants, pace);
  const node = results.get(nodeHttp.name);
  const nginxs = results.get(nginx.name);
  const rows = Array.from(results, ([contestant, result]) => [
    contestant,
    rate(result.rate),
    ratio(result.rate / node.rate),
    ratio(result.rate / (nginxs?.rate ?? Number.NaN)),
    milliseconds(result.p50),
    milliseconds(result.p99),
    result.cpuUs.toFixed(1),
    ratio(node.cpuUs / result.cpuUs),
    `${Math.round(result.foreign * 100)} %`,
  ]);
  console.log(`### ${name}: ${contest.what}\n`);
  printTable([
    [' ', 'requests/s', 'to node:http', 'to nginx', 'p50', 'p99', 'CPU µs/request', 'node:http to it', 'others took'],
    ...rows,
  ]);

  const ours = results.get('tsgun');
  for (const [contestant, { errors }] of results)
    if (errors !== '') judge(`${contestant} without errors, else the run says nothing: ${errors}`, false);
  judge(`at least ${contest.goal}× node:http`, ours.rate / node.rate >= contest.goal);
  if (contest.goalCpu !== undefined)
    judge(`node:http needs at least ${contest.goalCpu}× the CPU time`, node.cpuUs / ours.cpuUs >= contest.goalCpu);
  if (contest.goalNginx !== undefined)
    judge(`at least ${contest.goalNginx}× nginx`, ours.rate / nginxs.rate >= contest.goalNginx);
  if (name === 'hello') judge('p99 no worse than node:http', ours.p99 <= node.p99);
  console.log();
}
