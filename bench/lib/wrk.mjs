/** Runs wrk, on the core that the server does not have where nothing else is said, and reads what it says. */

import { spawn } from 'node:child_process';
import { coreBusyMs, cpuMs, endedChildrenCpuMs } from './processes.mjs';
import { benchPath, loadCore, serverCore } from './servers.mjs';

/**
 * @typedef {object} Load
 * @property {number} connections
 * @property {string} [path] asked for, without its slash
 * @property {string} [script] of bench/wrk
 * @property {string} [cores] as taskset takes them; with other than one of its own, `foreign` says nothing
 */

/**
 * @typedef {object} Run
 * @property {number} rate requests per second
 * @property {number} p50 in milliseconds
 * @property {number} p99 in milliseconds
 * @property {number} cpuUs CPU time of the server per request, in microseconds: what a noisy neighbour changes least
 * @property {number} foreign the part of a core that others took, 0 to 1, on the core where they took more
 * @property {string} errors empty for a valid run
 */

const units = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * @param {import('./servers.mjs').Server} server
 * @param {Load} load
 * @param {number} seconds
 * @returns {Promise<Run>}
 */
export async function runWrk(server, { connections, path = '', script, cores = String(loadCore) }, seconds) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s'];
  if (script !== undefined) args.push('-s', benchPath(`wrk/${script}.lua`));
  const before = {
    server: cpuMs(server.pid),
    load: endedChildrenCpuMs(),
    cores: [serverCore, loadCore].map(coreBusyMs),
  };
  const text = await output('taskset', ['-c', cores, 'wrk', ...args, `${server.url}${path}`], (seconds + 30) * 1000);
  const cpu = cpuMs(server.pid) - before.server;
  const load = endedChildrenCpuMs() - before.load;
  const [serverCoreBusy, loadCoreBusy] = [serverCore, loadCore].map((core, at) => coreBusyMs(core) - before.cores[at]);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  const errors = /Socket errors: .*|Non-2xx .*/g;
  return {
    rate,
    p50: percentile(text, '50%'),
    p99: percentile(text, '99%'),
    cpuUs: (cpu * 1000) / requests,
    foreign: Math.max(serverCoreBusy - cpu, loadCoreBusy - load) / (seconds * 1000),
    errors: requests === 0 ? 'no request was answered' : (text.match(errors) ?? []).join('; '),
  };
}

function percentile(text, name) {
  const [, value, unit] = new RegExp(`^\\s+${name}\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text) ?? [];
  return Number(value) * (units[unit] ?? Number.NaN);
}

/** @returns {Promise<string>} */
function output(command, args, timeoutMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let text = '';
    child.stdout.on('data', (bytes) => (text += bytes));
    child.stderr.on('data', (bytes) => (text += bytes));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${text}`));
    });
  });
}
