/**
 * Clients that have left, in every place of a worker, for every class and interface: how long the next request waits for its
 * answer, and how long a stop takes with such clients alone. Nothing else ends what they wait for: `--body-timeout 0`.
 *
 *   node bench/departed.mjs [CLASS …]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from './lib/pools.mjs';
import { judge, milliseconds, printMachine, printTable } from './lib/report.mjs';
import { benchPath, fetchOnce, freePort } from './lib/servers.mjs';

const places = { async: 5, sync: 1, threaded: 2 };
const classes = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(places);
const nextLimitMs = 1500;
const stopLimitMs = 2000;

printMachine();
const rows = [];
for (const workerClass of classes)
  for (const name of ['wsgi', 'node', 'fetch']) rows.push(await measure(workerClass, name));
printTable([
  ['class', 'interface', 'next request behind `/never`', 'behind `/events`', 'stop'],
  ...rows.map(({ workerClass, name, nexts, stopMs, code }) => [
    ...[workerClass, name, ...nexts.map(milliseconds), `${milliseconds(stopMs)}, exit ${code}`],
  ]),
]);
judge(
  `the next request is answered within ${nextLimitMs} ms`,
  rows.every(({ nexts }) => Math.max(...nexts) <= nextLimitMs),
);
judge(
  `a stop is done within ${stopLimitMs} ms`,
  rows.every(({ stopMs, code }) => stopMs <= stopLimitMs && code === 0),
);

async function measure(workerClass, name) {
  const port = await freePort();
  const options = ['--bind', `127.0.0.1:${port}`, '--threads', '2', '--worker-connections', '5', '--body-timeout', '0'];
  const app = `${benchPath('apps/departed.js')}:${name}`;
  const args = [command('dist/cli.js'), app, '--interface', name, '-k', workerClass, ...options];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(server, 'exit');
  let begun = 0;
  server.stdout.on('data', (bytes) => (begun += String(bytes).split('begun').length - 1));
  const url = `http://127.0.0.1:${port}/`;
  while ((await fetchOnce(url).catch(() => undefined)) === undefined) await sleep(50);
  const fill = async (path) => {
    const before = begun;
    const clients = Array.from({ length: places[workerClass] }, () => ask(port, path));
    while (begun < before + places[workerClass]) await sleep(5);
    for (const client of clients) client.end();
  };
  const nexts = [];
  for (const path of ['/never', '/events']) {
    await fill(path);
    const askedAt = performance.now();
    await fetchOnce(url, { headers: { connection: 'close' } });
    nexts.push(performance.now() - askedAt);
  }
  await fill('/never');
  const stoppedAt = performance.now();
  server.kill('SIGTERM');
  const [code] = await exited;
  return { workerClass, name, nexts, stopMs: performance.now() - stoppedAt, code };
}

/** Half-open: it is the server that must end the connection. */
function ask(port, path) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {}).resume();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  return socket;
}
