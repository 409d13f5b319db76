/**
 * What idle keep-alive connections cost: memory for each, and the speed of a busy one beside them.
 *
 *   node bench/idle.mjs [--quick] [--rounds N] [--connections N]
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openMany, requestOnce } from './lib/clients.mjs';
import { residentBytes } from './lib/processes.mjs';
import { judge, median, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { fetchOnce, nodeHttp, startServer, tsgun } from './lib/servers.mjs';
import { runWrk } from './lib/wrk.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    connections: { type: 'string', default: '10000' },
    also: { type: 'string', multiple: true, default: [] },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const seconds = values.quick ? 2 : 3;
const connections = Number(values.connections);
const busy = { connections: 1 };
/** Room for the idle ones and the others: by itself a worker holds 10,000. */
const room = ['--worker-connections', String(connections + 1000)];
const builds = values.also.map((text) => text.split('=')).map(([name, cli]) => tsgun(cli, name, room));
const contestants = [nodeHttp, tsgun(undefined, 'tsgun', room), ...builds];

printMachine();
console.log(`${connections} idle connections, each after one request; medians of ${rounds} rounds.\n`);
const runs = new Map(contestants.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const contestant of contestants) runs.get(contestant.name).push(await measure(contestant));

const results = new Map(
  Array.from(runs, ([name, list]) => [
    name,
    Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((run) => run[key]))])),
  ]),
);
const node = results.get(nodeHttp.name);
printTable([
  [' ', 'resident/connection', 'to node:http', 'JS heap/connection', 'alone', 'p99', 'beside them', 'p99', 'kept'],
  ...Array.from(results, ([name, result]) => [
    name,
    `${Math.round(result.resident)} B`,
    ratio(result.resident / node.resident),
    `${Math.round(result.heap)} B`,
    rate(result.aloneRate),
    milliseconds(result.aloneP99),
    rate(result.besideRate),
    milliseconds(result.besideP99),
    ratio(result.besideRate / result.aloneRate),
  ]),
]);
const ours = results.get('tsgun');
judge("memory per connection at most 0.7× node:http's", ours.resident / node.resident <= 0.7);
judge('a busy connection is served as fast as with none idle (within 5 %)', ours.besideRate / ours.aloneRate >= 0.95);

async function measure(contestant) {
  const server = await startServer(contestant, 'memory');
  /** @type {import('node:net').Socket[]} */
  let sockets = [];
  try {
    await runWrk(server, busy, seconds);
    const alone = await runWrk(server, busy, seconds);
    const before = await memory(server);
    sockets = await openMany(server.port, connections);
    await Promise.all(sockets.map(requestOnce));
    const after = await memory(server);
    const beside = await runWrk(server, busy, seconds);
    const lost = sockets.filter((socket) => socket.readableEnded || socket.destroyed).length;
    if (lost > 0 || alone.errors !== '' || beside.errors !== '')
      throw new Error(`${contestant.name}: ${lost} connections lost; ${alone.errors} ${beside.errors}`);
    return {
      resident: (after.resident - before.resident) / connections,
      heap: (after.heapUsed - before.heapUsed) / connections,
      aloneRate: alone.rate,
      aloneP99: alone.p99,
      besideRate: beside.rate,
      besideP99: beside.p99,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

/** Without garbage, which says nothing about connections. */
async function memory(server) {
  await sleep(500);
  const { body } = await fetchOnce(`${server.url}memory`);
  return { ...JSON.parse(body.toString()), resident: residentBytes(server.workerPid) };
}
