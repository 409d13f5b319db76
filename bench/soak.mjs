/**
 * A quarter of an hour of all kinds of clients at once, with a reload every 20 s: kept connections, a connection per request,
 * slow readers, slow uploads, clients that reset, and clients that leave. Counts what failed of those that waited for their
 * answers, and shows memory and descriptors of the master and the workers over time.
 *
 * Before it, as many reloads as V8 needs for its first full collection: until then a master that forks holds more after each,
 * node:cluster's own too. One with nothing else to do forks as often beside it.
 *
 *   node bench/soak.mjs [--minutes N] [--worker-class CLASS] [--warm-up RELOADS]
 */

import { spawn } from 'node:child_process';
import { Agent, request as send } from 'node:http';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onAllCores, tsgunPool } from './lib/pools.mjs';
import { openFiles, processTree, residentBytes } from './lib/processes.mjs';
import { judge, median, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    'worker-class': { type: 'string', default: 'async' },
    'warm-up': { type: 'string', default: '300' },
  },
});
const lengthMs = Number(values.minutes) * 60_000;
const reloadEveryMs = 20_000;
const sampleEveryMs = 5000;
const counts = {};
const failures = [];
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const note = (kind, error) => {
  counts[kind] = (counts[kind] ?? 0) + 1;
  if (error !== undefined) failures.push(`${kind}: ${error}`);
};

printMachine();
const server = await onAllCores(tsgunPool(values['worker-class'], benchPath('apps/soak.js'), 2));

const { port, pid } = server;
const bare = spawn(process.execPath, [benchPath('node/reloads.mjs')], { stdio: 'ignore' });
await warmUp(Number(values['warm-up']));
const endsAt = performance.now() + lengthMs;
const isOver = () => performance.now() >= endsAt;
const samples = [];
try {
  await Promise.all([
    ...Array.from({ length: 8 }, () => keep()),
    ...Array.from({ length: 4 }, () => loop('a connection each', () => ask('/', { agent: false }))),
    ...Array.from({ length: 2 }, () => loop('slow readers', readSlowly)),
    ...Array.from({ length: 2 }, () => loop('slow uploads', uploadSlowly)),
    ...Array.from({ length: 2 }, () => loop('resets', () => leave('/large', 'reset'))),
    ...Array.from({ length: 2 }, () => loop('departed from a stream', () => leave('/events', 'end'))),
    ...Array.from({ length: 2 }, () => loop('departed unanswered', () => leave('/never', 'end'))),
    reloads(),
    sample(),
  ]);
} finally {
  bare.kill();
  await server.stop();
}
report();

/** Reloads one after another. */
async function warmUp(reloads) {
  const before = residentBytes(pid);
  for (let count = 0; count < reloads; count++) await Promise.all([pid, bare.pid].map(reload));
  if (reloads > 0)
    console.log(`master, resident: ${mib(before)}, after ${reloads} reloads ${mib(residentBytes(pid))}\n`);
}

/** @returns when all of its workers are others */
async function reload(master) {
  const children = () => {
    try {
      return processTree(master).slice(1);
    } catch {
      // A worker has ended meanwhile.
      return [];
    }
  };
  let old = [];
  while (old.length < 2) {
    await sleep(50);
    old = children();
  }
  process.kill(master, 'SIGHUP');
  for (;;) {
    await sleep(50);
    const now = children();
    if (now.length === 2 && !now.some((child) => old.includes(child))) return;
  }
}

async function loop(kind, play) {
  while (!isOver())
    await play().then(
      () => note(kind),
      (error) => note(kind, error.message),
    );
}

/** Requests one after another on a kept connection, without a pause: nothing excuses a reset. */
async function keep() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await loop('kept connections', () => ask('/', { agent }));
  agent.destroy();
}

function ask(path, options) {
  return new Promise((resolve, reject) => {
    const sent = send({ port, path, host: '127.0.0.1', ...options }, (response) => {
      response.on('error', reject);
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    if (options.body === undefined) sent.end();
    else void options.body(sent);
  });
}

/** A megabyte, in sips. */
function readSlowly() {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const sent = send({ port, path: '/large', host: '127.0.0.1', agent: false }, (response) => {
      response.on('error', reject);
      response.on('data', async (piece) => {
        bytes += piece.length;
        response.pause();
        await sleep(20);
        response.resume();
      });
      response.on('end', () => (bytes === 1024 * 1024 ? resolve() : reject(new Error(`${bytes} bytes`))));
    });
    sent.on('error', reject).end();
  });
}

function uploadSlowly() {
  const body = async (sent) => {
    for (let count = 0; count < 10; count++) {
      sent.write('x'.repeat(1000));
      await sleep(100);
    }
    sent.end();
  };
  return ask('/upload', { agent: false, method: 'POST', headers: { 'Content-Length': 10_000 }, body });
}

/** Leaves a moment after the request, by FIN or by RST. It waits for nothing, so nothing fails. */
function leave(path, how) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    setTimeout(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()), 50);
  });
}

async function reloads() {
  while (!isOver()) {
    await sleep(reloadEveryMs);
    process.kill(pid, 'SIGHUP');
    bare.kill('SIGHUP');
    note('reloads');
  }
}

async function sample() {
  while (!isOver()) {
    await sleep(sampleEveryMs);
    try {
      const [master, ...workers] = processTree(pid);
      samples.push({ master: sizeOf(master), workers: workers.map(sizeOf), bare: residentBytes(bare.pid) });
    } catch {
      // A worker has ended meanwhile.
    }
  }
}

function sizeOf(pid) {
  return { bytes: residentBytes(pid), files: openFiles(pid) };
}

function report() {
  printTable([['clients', 'requests'], ...Object.entries(counts).map(([kind, count]) => [kind, String(count)])]);
  const third = Math.floor(samples.length / 3);
  const parts = [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)];
  const of = (part, pick) => median(part.flatMap(pick));
  const rows = [
    ['master, resident', ...parts.map((part) => mib(of(part, ({ master }) => [master.bytes])))],
    ['a bare node:cluster master', ...parts.map((part) => mib(of(part, ({ bare }) => [bare])))],
    ['master, descriptors', ...parts.map((part) => String(of(part, ({ master }) => [master.files])))],
    ['a worker, resident', ...parts.map((part) => mib(of(part, ({ workers }) => workers.map(({ bytes }) => bytes))))],
    [
      'a worker, descriptors',
      ...parts.map((part) => String(of(part, ({ workers }) => workers.map(({ files }) => files)))),
    ],
  ];
  printTable([['median of', 'the first third', 'the second', 'the last'], ...rows]);
  judge(`no request of a client that waited failed (${failures.length})`, failures.length === 0);
  for (const failure of failures.slice(0, 10)) console.log(`  ${failure}`);
  const [before, , after] = parts.map((part) => of(part, ({ master }) => [master.bytes]));
  judge('the master is no more than 5 % larger in the last third than in the first', after <= before * 1.05);
  const [first, , last] = parts.map((part) => of(part, ({ master }) => [master.files]));
  judge('the master has no more descriptors in the last third than in the first', last <= first);
}
