/** What is compared: one app, hosted in five ways. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../lib/servers.mjs';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const app = fileURLToPath(new URL('../../apps/fib.ts', import.meta.url));
const bootMs = 20_000;

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {string} name
 * @property {'sync' | 'threaded' | 'async'} workerClass
 * @property {number} workers
 * @property {boolean} keepsAlive whether a connection may bring a second request
 * @property {string[]} options
 */

/**
 * @param {number} n of workers, and of threads
 * @returns {Row[]}
 */
export function makeRows(n) {
  const row = (key, name, workerClass, workers, options = []) => ({
    ...{ key, name, workerClass, workers, keepsAlive: workerClass !== 'sync' },
    options: ['--worker-class', workerClass, '--workers', String(workers), ...options],
  });
  return [
    row('sync', '1 sync worker', 'sync', 1),
    row('syncs', `${n} sync workers`, 'sync', n),
    row('threaded', `1 threaded worker, ${n} threads`, 'threaded', 1, ['--threads', String(n)]),
    row('async', '1 async worker', 'async', 1),
    row('asyncs', `${n} async workers`, 'async', n),
  ];
}

/**
 * With all its workers ready, on all cores.
 * @param {Row} row
 * @param {string} cores
 */
export async function startRow({ name, workers, options }, cores) {
  const command = (_app, port) => [process.execPath, cli, app, '--bind', `127.0.0.1:${port}`, ...options];
  const server = await startServer({ name, command, cores }, 'fib.ts');
  const ready = () => server.log().split('"event":"worker_ready"').length - 1;
  for (const deadline = performance.now() + bootMs; ready() < workers; await sleep(20)) {
    if (performance.now() < deadline) continue;
    const said = server.log();
    await server.stop();
    throw new Error(`${name}: ${ready()} of ${workers} workers became ready:\n${said}`);
  }
  return server;
}

/**
 * Why this build cannot run a row, in the command's own words.
 * @param {Row} row
 * @param {string} cores
 * @returns {Promise<string | undefined>} undefined where it can
 */
export async function refusal(row, cores) {
  try {
    await (await startRow(row, cores)).stop();
    return undefined;
  } catch (error) {
    const said = /^tsgun: .*\b(?:workerClass|threads)\b.*$/im.exec(error.message);
    if (said === null) throw error;
    return said[0];
  }
}
