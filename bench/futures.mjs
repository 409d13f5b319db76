/**
 * Requests parked on futures (apps/futures.ts): thousands at once in one worker, all answered by one POST, and all
 * forgotten when their clients leave.
 *
 *   node bench/futures.mjs [--requests N] [--rounds N]
 */

import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openMany } from './lib/clients.mjs';
import { residentBytes } from './lib/processes.mjs';
import { judge, median, printMachine, printTable } from './lib/report.mjs';
import { fetchOnce, startServer } from './lib/servers.mjs';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '5000' }, rounds: { type: 'string', default: '3' } },
});
const requests = Number(values.requests);
const rounds = Number(values.rounds);
const mostBytes = 200 * 2 ** 20;
const answerMs = 30_000;

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const app = fileURLToPath(new URL('../apps/futures.ts', import.meta.url));
const help = execFileSync(process.execPath, [cli, '--help'], { encoding: 'utf8' });
/** Those that wait, the one that releases them, and the ones that count. */
const bounds = help.includes('--worker-connections') ? ['--worker-connections', String(requests + 100)] : [];
const tsgun = {
  name: 'tsgun',
  command: (_app, port) => [process.execPath, cli, app, '--bind', `127.0.0.1:${port}`, '--workers', '1', ...bounds],
};

printMachine();
console.log(`${requests} requests parked in one worker; medians of ${rounds} rounds, each with a worker of its own.\n`);
/** @type {Record<string, number>[]} */
const runs = [];
for (let round = 0; round < rounds; round++) runs.push(await measure());

const of = (key) => median(runs.map((run) => run[key]));
const most = (key) => Math.max(...runs.map((run) => run[key]));
const least = (key) => Math.min(...runs.map((run) => run[key]));
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const each = `${((of('parked') - of('idle')) / requests / 1024).toFixed(1)} KiB`;
printTable([
  [' ', 'idle', 'all parked', 'for each', 'left and parked again', 'released', 'most'],
  ['resident', mib(of('idle')), mib(of('parked')), each, ...['again', 'released', 'peak'].map((key) => mib(of(key)))],
]);
console.log(
  `From the POST to the last of ${requests} answers: ${of('lastMs').toFixed(0)} ms; the POST itself was answered after ${of('postMs').toFixed(0)} ms.\n`,
);
judge(`all ${requests} wait in the worker at once (${least('waiting')} at the least)`, least('waiting') === requests);
judge(`one POST releases all of them (${least('told')} at the least)`, least('told') === requests);
judge(`each has its own whole answer (${least('answered')} at the least)`, least('answered') === requests);
judge(`none is forgotten late: ${most('left')} wait after all have left`, most('left') === 0);
judge(`the worker stays under ${mib(mostBytes)} (${mib(most('peak'))} at the most)`, most('peak') < mostBytes);

async function measure() {
  const server = await startServer(tsgun, 'futures');
  const { workerPid } = server;
  /** @type {Waiter[]} */
  let waiters = [];
  try {
    const idle = residentBytes(workerPid);
    waiters = await park(server);
    const waiting = await untilWaiting(server, requests);
    const parked = residentBytes(workerPid);

    for (const { socket } of waiters) socket.destroy();
    const left = await untilWaiting(server, 0);
    waiters = await park(server);
    await untilWaiting(server, requests);
    const again = residentBytes(workerPid);

    const startedAt = performance.now();
    const all = Promise.all(waiters.map(({ done }) => done));
    const text = `released at ${Date.now()}`;
    const told = await post(`${server.url}wait/bench`, text);
    const postMs = performance.now() - startedAt;
    await Promise.race([all, sleep(answerMs, undefined, { ref: false })]);
    const lastMs = performance.now() - startedAt;
    const answered = waiters.filter(({ said }) => isAnswer(said.text, text)).length;
    const released = residentBytes(workerPid);
    const peak = residentBytes(workerPid, 'VmHWM');
    return { idle, parked, again, released, peak, waiting, left, told, postMs, lastMs, answered };
  } finally {
    for (const { socket } of waiters) socket.destroy();
    await server.stop();
  }
}

/**
 * @typedef {object} Waiter
 * @property {import('node:net').Socket} socket
 * @property {{ text: string }} said what has come so far
 * @property {Promise<void>} done when the server has closed the connection, as it was asked to after the answer
 */

/** @returns {Promise<Waiter[]>} */
async function park({ port }) {
  const waiters = [];
  await openMany(port, requests, (socket) => {
    const said = { text: '' };
    socket.on('data', (bytes) => (said.text += bytes.toString('latin1')));
    const done = new Promise((resolve) => socket.once('close', resolve));
    waiters.push({ socket, said, done });
    socket.write('GET /wait/bench HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
  return waiters;
}

/** What the app says, as soon as it says `count`; else what it says in the end. */
async function untilWaiting({ url }, count) {
  for (const deadline = performance.now() + answerMs; ; await sleep(20)) {
    const { body } = await fetchOnce(url);
    const waiting = Number(/^waiting: (\d+),/.exec(body.toString())?.[1]);
    if (waiting === count || performance.now() > deadline) return waiting;
  }
}

/** @returns {Promise<number>} how many it says it has released */
async function post(url, body) {
  const response = await fetch(url, { method: 'POST', body, headers: { connection: 'close' } });
  return Number(/^released: (\d+)\n$/.exec(await response.text())?.[1]);
}

/** A 200 with that body, whole, and nothing else. */
function isAnswer(said, body) {
  const end = said.indexOf('\r\n\r\n');
  const head = said.slice(0, end);
  return (
    head.startsWith('HTTP/1.1 200 ') &&
    head.includes(`\r\nContent-Length: ${body.length}\r\n`) &&
    said.slice(end + 4) === body
  );
}
