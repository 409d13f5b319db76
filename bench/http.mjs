/**
 * Requests per second, and CPU time for each, against node:http, nginx and other servers.
 *
 *   node bench/http.mjs [CONTEST…] [--quick] [--rounds N] [--seconds N] [--also NAME=PATH/TO/dist/cli.js …]
 *     [--interfaces wsgi,node,fetch] [--peers nginx,bun,deno]
 */

import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { fetchPeers, peers } from './lib/peers.mjs';
import { judge, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { nodeHttp, tsgunAs } from './lib/servers.mjs';

/**
 * `goal` is what tsgun is held to, as a multiple of node:http's requests per second, and `goalCpu` of its CPU time;
 * `goalNginx` and `goalBun` are multiples of theirs. Bun's has one value for each interface.
 */
const contests = {
  hello: {
    what: 'hello world, keep-alive, 32 connections',
    app: 'hello',
    load: { connections: 32 },
    goal: 1.5,
    goalNginx: 0.8,
    goalBun: { wsgi: 1, fetch: 1, node: 0.9 },
  },
  pipelined: {
    what: '16 requests pipelined, 32 connections',
    app: 'hello',
    load: { connections: 32, script: 'pipelined' },
    goal: 4,
  },
  json: {
    what: 'JSON of 60 bytes',
    app: 'json',
    load: { connections: 32 },
    goal: 1.5,
    goalBun: { wsgi: 0.95, fetch: 0.95, node: 0.85 },
  },
  'body-10k': {
    what: 'body of 10 KB',
    app: 'body-10k',
    load: { connections: 32 },
    goal: 1.2,
    goalBun: { wsgi: 0.95, fetch: 0.95, node: 0.85 },
  },
  'body-100k': {
    what: 'body of 100 KB',
    app: 'body-100k',
    load: { connections: 32 },
    goal: 1,
    goalBun: { wsgi: 0.95, fetch: 0.95, node: 0.85 },
  },
  post: {
    what: 'POST of 1 MB, read by the app',
    app: 'drain',
    load: { connections: 32, script: 'post' },
    goal: 1,
    goalBun: { wsgi: 1, fetch: 1, node: 1 },
  },
  'post-1k': {
    what: 'POST of 1 KB, sent back',
    app: 'echo',
    load: { connections: 32, script: 'post-1k' },
    goal: 1,
    goalBun: { wsgi: 1, fetch: 1, node: 1 },
  },
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
    goalBun: { wsgi: 0.9, fetch: 0.9, node: 0.9 },
  },
  changing: {
    what: '20 header fields, ten of them others in each request',
    app: 'hello',
    load: { connections: 32, script: 'changing' },
    goal: 1.5,
    goalBun: { wsgi: 0.9, fetch: 0.9, node: 0.9 },
  },
  'clients-256': {
    what: 'hello world, 256 connections',
    app: 'hello',
    load: { connections: 256 },
    goal: 1.5,
    goalBun: { wsgi: 0.95, fetch: 0.95, node: 0.85 },
  },
  'clients-1024': { what: 'hello world, 1,024 connections', app: 'hello', load: { connections: 1024 }, goal: 1.5 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    also: { type: 'string', multiple: true, default: [] },
    interfaces: { type: 'string', default: 'wsgi' },
    peers: { type: 'string', default: 'nginx' },
  },
});
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
if (values.seconds !== undefined) pace.seconds = Number(values.seconds);

const interfaces = chosen('interface', values.interfaces.split(','), ['wsgi', 'node', 'fetch']);
const builds = values.also.flatMap((text) => {
  const [name, cli] = text.split('=');
  return interfaces.map((of) => ({ ...tsgunAs(of, cli), name: of === 'wsgi' ? name : `${name}, ${of}` }));
});
const names = chosen('peer', values.peers.split(',').filter(Boolean), Object.keys(peers));
const held = chosen('contest', positionals, Object.keys(contests));

function chosen(what, asked, there) {
  const unknown = asked.find((name) => !there.includes(name));
  if (unknown === undefined) return asked;
  console.error(`no ${what} ${JSON.stringify(unknown)}; there are ${there.join(', ')}`);
  process.exit(1);
}

fetchPeers(names);
printMachine();
console.log(`Medians of ${pace.rounds} rounds of ${pace.seconds} s; server and load have a core each.\n`);
for (const name of held.length > 0 ? held : Object.keys(contests)) await run(name, contests[name]);

async function run(name, contest) {
  const ours = interfaces.map((of) => [of, tsgunAs(of)]);
  const others = names.map((peer) => peers[peer]).filter(({ apps }) => apps?.includes(contest.app) !== false);
  const contestants = [nodeHttp, ...ours.map(([, each]) => each), ...builds, ...others.map((peer) => peer.contestant)];
  const results = await hold(contest, contestants, pace);
  const node = results.get(nodeHttp.name);
  const rivals = others.map(({ contestant }) => contestant.name);
  console.log(`### ${name}: ${contest.what}\n`);
  printTable([
    [
      ...[' ', 'requests/s', 'to node:http', ...rivals.map((rival) => `to ${rival}`), 'p50', 'p99', 'CPU µs/request'],
      ...['node:http to it', 'others took'],
    ],
    ...Array.from(results, ([contestant, result]) => [
      contestant,
      rate(result.rate),
      ratio(result.rate / node.rate),
      ...rivals.map((rival) => ratio(result.rate / results.get(rival).rate)),
      milliseconds(result.p50),
      milliseconds(result.p99),
      result.cpuUs.toFixed(1),
      ratio(node.cpuUs / result.cpuUs),
      `${Math.round(result.foreign * 100)} %`,
    ]),
  ]);
  for (const [contestant, { errors }] of results)
    if (errors !== '') judge(`${contestant} without errors, else the run says nothing: ${errors}`, false);
  for (const [of, each] of ours) judgeOne(name, contest, of, results.get(each.name), results, each.name);
  console.log();
}

/** The goals to node:http are those of wsgi. */
function judgeOne(name, { goal, goalCpu, goalNginx, goalBun }, of, result, results, who) {
  const node = results.get(nodeHttp.name);
  const nginx = results.get(peers.nginx.contestant.name);
  const bun = results.get(peers.bun.contestant.name);
  if (of === 'wsgi') {
    judge(`at least ${goal}× node:http`, result.rate / node.rate >= goal);
    if (goalCpu !== undefined)
      judge(`node:http needs at least ${goalCpu}× the CPU time`, node.cpuUs / result.cpuUs >= goalCpu);
    if (goalNginx !== undefined && nginx !== undefined)
      judge(`at least ${goalNginx}× nginx`, result.rate / nginx.rate >= goalNginx);
    if (name === 'hello') judge('p99 no worse than node:http', result.p99 <= node.p99);
  }
  if (goalBun !== undefined && bun !== undefined)
    judge(`${who}: at least ${goalBun[of]}× Bun.serve`, result.rate / bun.rate >= goalBun[of]);
}
