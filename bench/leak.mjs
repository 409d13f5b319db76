/**
 * Millions of requests from clients that leave at any moment, and the heap before and after.
 *
 *   node bench/leak.mjs [MILLIONS] [--quick] [--seed N]
 */

import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seeded } from './lib/random.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { fetchOnce, startServer, tsgun } from './lib/servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
});
const millions = Number(positionals[0] ?? (values.quick ? 0.2 : 5));
const clients = 64;
const maxMegabytes = 5;
/** Nothing takes this long unless requests have stopped being answered. */
const maxSeconds = 120 + millions * 300;
const random = seeded(Number(values.seed));

/** In no body of bench/apps/leak.js. */
const answerStart = 'HTTP/1.1 200 ';

/** How often each comes: mostly small ones, all kinds of answers among them. */
const kinds = [
  [90, () => 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [3, () => 'GET /pieces HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [2, () => 'GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [1, () => 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [3, () => `POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`],
  [1, () => 'POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
];

printMachine();
console.log(
  `${millions} million requests over ${clients} clients that leave at random moments, seed ${values.seed}.\n`,
);
const server = await startServer(tsgun(), 'leak');
try {
  // Compiled code and caches come first, and are no leak.
  await play(millions * 1e6 * 0.02 + 20_000);
  const before = await memory();
  const startedAt = performance.now();
  const { departures } = await play(millions * 1e6);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await memory();
  const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MB`;
  printTable([
    ['after a forced collection', 'before', 'after', 'growth'],
    ...['heapUsed', 'external', 'arrayBuffers', 'rss'].map((key) => [
      key,
      megabytes(before[key]),
      megabytes(after[key]),
      megabytes(after[key] - before[key]),
    ]),
  ]);
  console.log(`${after.calls - before.calls} calls of the app, ${departures} departures, ${seconds.toFixed(0)} s\n`);
  judge(`heap within ${maxMegabytes} MB of the start`, after.heapUsed - before.heapUsed < maxMegabytes * 2 ** 20);
} finally {
  await server.stop();
}

/** Runs clients until the app has been called `requests` times. */
async function play(requests) {
  const state = { isOver: false, departures: 0 };
  const deadline = performance.now() + maxSeconds * 1000;
  const start = await calls();
  const running = Array.from({ length: clients }, () => playClient(state));
  while ((await calls()) - start < requests) {
    if (performance.now() > deadline) throw new Error(`not done after ${maxSeconds} s:\n${server.log().slice(-2000)}`);
    await sleep(200);
  }
  state.isOver = true;
  await Promise.all(running);
  return state;
}

/** One client after another: each sends some batches, and leaves at a moment that chance picks. */
async function playClient(state) {
  while (!state.isOver) {
    await new Promise((resolve) => {
      const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
      let batches = 1 + Math.floor(random() * 40);
      let awaited = 0;
      let tail = '';
      const send = () => {
        if (state.isOver || batches-- === 0) return leave(socket);
        awaited = 1 + Math.floor(random() * 16);
        const text = Array.from({ length: awaited }, request).join('');
        // Now and then only a part of it, and then nothing more: the client leaves in the middle of a request.
        if (batches === 0 && random() < 0.5) socket.write(text.slice(0, Math.floor(random() * text.length)), 'latin1');
        else socket.write(text, 'latin1');
        // Left before the answer, in the middle of it, or after.
        if (batches === 0) setTimeout(() => leave(socket), random() * 4);
      };
      socket.on('connect', send).on('data', (bytes) => {
        const text = tail + bytes.toString('latin1');
        awaited -= text.split(answerStart).length - 1;
        tail = text.slice(1 - answerStart.length);
        // The last answer has begun: time for more, so that the server is never idle, and never flooded.
        if (awaited <= 0 && batches > 0) send();
      });
      socket.on('error', () => {}).on('close', resolve);
    });
    state.departures++;
  }
}

function leave(socket) {
  const choice = random();
  if (choice < 0.4) socket.resetAndDestroy();
  else if (choice < 0.8) socket.destroy();
  else {
    socket.end();
    setTimeout(() => socket.destroy(), 100);
  }
}

function request() {
  let pick = random() * 100;
  for (const [weight, make] of kinds) {
    pick -= weight;
    if (pick < 0) return make();
  }
  return kinds[0][1]();
}

async function calls() {
  const { body } = await fetchOnce(`${server.url}calls`);
  return Number(body);
}

/** Once what is under way has ended: connections linger for two seconds. */
async function memory() {
  await sleep(4000);
  const { body } = await fetchOnce(`${server.url}memory`);
  return { ...JSON.parse(body.toString()), calls: await calls() };
}
