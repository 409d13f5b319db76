/**
 * Runs slowhttptest on the core that the server does not have, and counts its connections at the server's end: the tool
 * itself looks at them too seldom to tell when they were cut.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFiles } from './processes.mjs';
import { loadCore } from './servers.mjs';

const sampleMs = 250;
/** Descriptors of the worker that belong to the connections of the probe. */
const probeFiles = 2;

/**
 * @typedef {object} SlowRun
 * @property {number} most connections that were open at once
 * @property {number} left connections that were still open when it was over
 * @property {number} firstCut second at which the server had ended some of them
 * @property {number} lastCut second at which it had ended all; NaN if it had not
 */

/**
 * @param {readonly string[]} mode its options
 * @param {object} load for at most so many seconds
 * @param {{ url: string, workerPid: number }} load.server
 * @param {string} load.path
 * @param {number} load.connections
 * @param {number} load.perSecond
 * @param {number} load.seconds
 * @returns {Promise<SlowRun>}
 */
export async function runSlowhttptest(mode, { server, path, connections, perSecond, seconds }) {
  const load = ['-c', connections, '-r', perSecond, '-l', seconds, '-p', 5, '-u', server.url + path].map(String);
  // Node has raised the limit on open files to the hard one, and its children have it from there.
  const child = spawn('taskset', ['-c', String(loadCore), 'slowhttptest', ...mode, ...load], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: (seconds + 30) * 1000,
  });
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  child.stderr.on('data', (bytes) => (text += bytes));
  const closed = once(child, 'close');
  const before = openFiles(server.workerPid) + probeFiles;
  const startedAt = performance.now();
  const run = { most: 0, left: 0, firstCut: Number.NaN, lastCut: Number.NaN };
  while (child.exitCode === null && child.signalCode === null) {
    await sleep(sampleMs);
    const second = (performance.now() - startedAt) / 1000;
    run.left = Math.max(0, openFiles(server.workerPid) - before);
    run.most = Math.max(run.most, run.left);
    if (run.most < connections * 0.9) continue;
    if (Number.isNaN(run.firstCut) && run.left < run.most * 0.9) run.firstCut = second;
    if (run.left > 0) continue;
    run.lastCut = second;
    child.kill();
    break;
  }
  await closed;
  if (run.most === 0) throw new Error(`slowhttptest opened nothing:\n${text.slice(-2000)}`);
  return run;
}
