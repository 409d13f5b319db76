/**
 * How connections spread over async workers, and what that costs where each brings one request only.
 *
 *   node bench/balance.mjs [--quick]
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { nodeCluster, onAllCores, tsgunPool } from './lib/pools.mjs';
import { judge, median, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const rounds = values.quick ? 1 : 5;
const seconds = values.quick ? 2 : 4;
const connections = 64;
const workers = 4;
const mostUneven = 1.5;

printMachine();
await spread();
await rates();

async function spread() {
  const rows = [
    [`${connections} keep-alive connections, ${workers} workers`, 'times', 'most to least, median', 'worst'],
  ];
  for (const [name, gapMs] of [
    ['all at once', 0],
    ['one every 2 ms', 2],
    ['one every 10 ms', 10],
  ]) {
    const times = gapMs === 0 ? rounds * 10 : rounds;
    const found = [];
    const server = await onAllCores(tsgunPool('async', benchPath('apps/busy.js'), workers));
    try {
      for (let time = 0; time < times; time++) found.push(await unevenness(server.port, gapMs));
    } finally {
      await server.stop();
    }
    rows.push([name, String(times), ratio(median(found)), ratio(Math.max(...found))]);
    judge(`${name}: most to least loaded at most ${mostUneven}`, Math.max(...found) <= mostUneven);
  }
  printTable(rows);
}

/** Opens the connections, asks each who serves it, and closes them. */
async function unevenness(port, gapMs) {
  const sockets = [];
  const counts = new Map();
  const open = async () => {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let text = '';
    while (!/\r\n\r\n\d+$/.test(text)) text += (await once(socket, 'data'))[0];
    const pid = text.slice(text.lastIndexOf('\n') + 1);
    counts.set(pid, (counts.get(pid) ?? 0) + 1);
  };
  const opening = [];
  for (let count = 0; count < connections; count++) {
    opening.push(open());
    if (gapMs > 0) await sleep(gapMs);
  }
  await Promise.all(opening);
  for (const socket of sockets) socket.destroy();
  await sleep(200);
  return counts.size < workers ? Number.POSITIVE_INFINITY : Math.max(...counts.values()) / Math.min(...counts.values());
}

async function rates() {
  const contestants = [
    ['tsgun async', tsgunPool('async', benchPath('apps/fib.mjs'), 2)],
    ['node:cluster SCHED_NONE', nodeCluster('none', 2)],
    ['node:cluster SCHED_RR', nodeCluster('rr', 2)],
  ];
  const runs = new Map(contestants.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, contestant] of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const server = await onAllCores(contestant);
      try {
        await server.load('close', '1', 1);
        runs.get(name).push(await server.load('close', '1', seconds));
      } finally {
        await server.stop();
      }
    }
  const medians = Array.from(runs, ([name, list]) => [name, median(list)]);
  const own = medians[0][1];
  printTable([
    ['a connection per request, 2 workers', 'requests/s', 'tsgun to it'],
    ...medians.map(([name, value]) => [name, rate(value), ratio(own / value)]),
  ]);
  judge('at least 0.9 of node:cluster SCHED_NONE', own >= 0.9 * medians[1][1]);
}
