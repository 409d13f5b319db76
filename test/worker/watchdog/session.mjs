/**
 * A process with tsgun's watchdog and a main thread that does as its argument says; descriptor 3 is the pipe to the master.
 * Runs dist/, as threads are started from there.
 */

import { setInterval as every } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const entry = fileURLToPath(new URL('../../../dist/worker/watchdog/thread.cjs', import.meta.url));
const shared = new SharedArrayBuffer(24);
const counter = new Int32Array(shared);
const requests = new SharedArrayBuffer(1024);
const answers = new SharedArrayBuffer(64 * 1024 * 5);
every(() => void Atomics.add(counter, 0, 1), 100);
globalThis[Symbol.for('tsgun.running')] = () => JSON.stringify([{ method: 'GET', path: '/hot', ms: 1 }]);
globalThis[Symbol.for('tsgun.details')] = () =>
  JSON.stringify({ requests: [{ method: 'GET', path: '/hot', ms: 1, query: 'n=1', client: '127.0.0.1:5' }], more: 2 });
new Worker(entry, {
  workerData: {
    ...{ shared, requests, answers, fd: 3, graceMs: 0, longBootMs: 5000, runsApp: true },
    timeoutMs: Number(process.argv[3] ?? 3_600_000),
  },
});
setTimeout(() => {
  // So often that V8 makes one function of both.
  if (process.argv[2] === 'inlined') for (let count = 0; count < 100; count++) caller();
  console.log('ready');
  if (process.argv[2] === 'inlined') every(caller, 7);
  if (process.argv[2] === 'loop') setTimeout(hot, 50);
  if (process.argv[2] === 'allocate') every(allocate, 5);
}, 100);

function hot() {
  for (;;) cold();
}

function cold() {
  return Math.random();
}

function caller() {
  inlined(5);
}

function inlined(ms) {
  const endAt = performance.now() + ms;
  let value = 0;
  while (performance.now() < endAt) for (let count = 0; count < 100_000; count++) value = (value * 31 + count) | 0;
  return value;
}

const kept = [];
function allocate() {
  for (let count = 0; count < 100; count++) kept.push(new Array(1000).fill(count));
}
