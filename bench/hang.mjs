/**
 * What the clients of a worker see that stops in an endless loop: 200 connections, one of which brings the loop. A half of
 * the others wait for an answer by then, a half send their request into the loop. All of them wait in one worker.
 *
 *   node bench/hang.mjs
 */

import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isThere, onAllCores, tsgunPool } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const clients = 200;
const timeoutMs = 2000;
/** Puma checks its workers every five seconds, so its shortest timeout is longer. */
const pumaTimeoutMs = 6000;
/** How much longer than its timeout each may take. */
const patienceMs = 20_000;
/** What tsgun may take beyond its timeout. */
const goalMs = 500;

const local = (port) => `127.0.0.1:${port}`;
const contestants = [
  ['tsgun async', tsgunPool('async', benchPath('apps/hang.js'), 1, ['--timeout', String(timeoutMs / 1000)])],
  [
    'node:cluster, supervised',
    (port) => [process.execPath, benchPath('node/supervised.mjs'), port, timeoutMs].map(String),
  ],
  ['gunicorn gthread', (port) => gunicorn(port), 'gunicorn'],
  ['Puma', (port) => puma(port), 'puma', pumaTimeoutMs],
];

printMachine();
const rows = [
  [`${clients} clients`, 'timeout', '503', 'other answer', 'end, no answer', 'reset', 'nothing yet', 'last one after'],
];
for (const [name, pool, needs, ownMs = timeoutMs] of contestants) {
  if (needs !== undefined && !isThere(needs)) continue;
  const server = await onAllCores(pool);
  try {
    const ends = await hang(server.port, ownMs);
    const count = (wanted) => ends.filter(({ end }) => end === wanted).length;
    const last = Math.max(...ends.filter(({ end }) => end !== 'nothing').map(({ ms }) => ms));
    const counts = ['503', 'answer', 'end', 'reset', 'nothing'].map(count);
    rows.push([name, `${ownMs / 1000} s`, ...counts.map(String), last > 0 ? `${(last / 1000).toFixed(2)} s` : '–']);
    if (name.startsWith('tsgun'))
      judge(
        `${name}: each client gets a 503 within its timeout and half a second, none a reset`,
        count('503') === clients && last < ownMs + goalMs,
      );
  } finally {
    await server.stop();
  }
}
console.log();
printTable(rows);

async function hang(port, ownMs) {
  const sockets = await Promise.all(Array.from({ length: clients }, () => open(port)));
  const [looping, ...others] = sockets;
  const waiting = others.slice(0, clients / 2);
  // Each has a first answer: the worker has accepted them all.
  await Promise.all(sockets.map((socket) => ask(socket, '/')));
  for (const socket of waiting) send(socket, '/wait');
  await sleep(500);
  const startedAt = performance.now();
  const ends = sockets.map((socket) => ended(socket, startedAt, ownMs + patienceMs));
  send(looping, '/hang');
  await sleep(200);
  for (const socket of others.slice(clients / 2)) send(socket, '/wait');
  return Promise.all(ends);
}

async function open(port) {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

function send(socket, path) {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
}

function ask(socket, path) {
  send(socket, path);
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (bytes) => {
      text += bytes;
      if (!text.includes('fine\n')) return;
      socket.off('data', take);
      // The last chunk may come in a packet of its own.
      setTimeout(resolve, 100);
    };
    socket.on('data', take).once('error', reject);
  });
}

/** How it ends for a client, and when. */
function ended(socket, startedAt, patience) {
  socket.removeAllListeners('error');
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => end('nothing'), patience);
    const end = (how) => {
      clearTimeout(timer);
      resolve({ end: how, ms: performance.now() - startedAt });
      socket.destroy();
    };
    socket.on('data', (bytes) => (text += bytes));
    socket.on('error', () => end('reset'));
    socket.on('end', () => end(/^HTTP\/1\.1 503 .*\r\n\r\n./s.test(text) ? '503' : text === '' ? 'end' : 'answer'));
  });
}

function gunicorn(port) {
  const options = [
    '-w',
    '1',
    '-b',
    local(port),
    '--timeout',
    timeoutMs / 1000,
    '--chdir',
    benchPath('apps'),
    'hang:app',
  ];
  return ['gunicorn', '-k', 'gthread', '--threads', clients, '--keep-alive', '60', ...options].map(String);
}

function puma(port) {
  const rackup = benchPath('apps/hang.ru');
  const options = [
    '-w',
    '1',
    '-t',
    `${clients}:${clients}`,
    '-C',
    benchPath('apps/hang-puma.rb'),
    '-b',
    `tcp://${local(port)}`,
  ];
  return ['puma', ...options, rackup];
}
