/**
 * wrk, or autocannon where wrk is missing, from a description of what is sent. Every answer is checked: wrk counts each status, and the bytes
 * of all answers together must be those of as many right ones, which a raw request has measured before.
 */

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { busyMs, loadCores } from './peer-server.mjs';
import { cpuMsOf, endedChildrenCpuMs } from './processes.mjs';
import { askRaw } from './raw-request.mjs';

/**
 * @typedef {import('./raw-request.mjs').Request & {
 *   connections: number, pipelined?: number, requestsPerConnection?: number, expect: { status: number, body: string, isCompressed?: boolean },
 * }} Load `pipelined`: so many in one write; `requestsPerConnection`: 1, or so many on average
 */

export const tool = spawnSync('which', ['wrk']).status === 0 ? 'wrk' : 'autocannon';

/** What wrk runs. It has no function for each answer, which would cost more than the servers do. @param {Load} load */
export function luaOf({ method = 'GET', headers = {}, bodyBytes = 0, pipelined = 1, requestsPerConnection = 0 }) {
  const closing = "wrk.headers['Connection'] = 'close'";
  const lines = [
    `wrk.method = ${JSON.stringify(method)}`,
    ...Object.entries(headers).map(
      ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    ),
    ...(bodyBytes > 0 ? [`wrk.body = string.rep('x', ${bodyBytes})`] : []),
    ...(requestsPerConnection === 1 ? [closing] : []),
  ];
  if (pipelined > 1)
    lines.push(
      `init = function() batch = string.rep(wrk.format(), ${pipelined}) end`,
      'request = function() return batch end',
    );
  if (requestsPerConnection > 1)
    lines.push(
      'count = 0',
      `init = function() kept = wrk.format() ${closing} last = wrk.format() end`,
      `request = function() count = count + 1 if count % ${requestsPerConnection} == 0 then return last end return kept end`,
    );
  lines.push(
    'done = function(summary)',
    '  local e = summary.errors',
    "  io.write(string.format('exact %d %.0f %d %d %d %d %d\\n', summary.requests, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))",
    'end',
  );
  return `${lines.join('\n')}\n`;
}

const units = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** @param {string} text what wrk printed */
export function readWrk(text) {
  const exact = /^exact (.*)$/m.exec(text)?.[1];
  if (exact === undefined) throw new Error(`wrk said nothing that can be read:\n${text}`);
  const [requests, bytes, ...faults] = exact.split(' ').map(Number);
  const names = ['connect', 'read', 'write', 'status', 'timeout'];
  const errors = names.flatMap((name, index) => (faults[index] > 0 ? [`${faults[index]} × ${name}`] : []));
  const percentile = (name) => {
    const [, value, unit] = new RegExp(`^\\s+${name}\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text) ?? [];
    return Number(value) * (units[unit] ?? Number.NaN);
  };
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  return { requests, bytes, errors, rate, p50: percentile('50%'), p99: percentile('99%') };
}

/**
 * What is wrong with so many bytes for so many answers; undefined if nothing is.
 * @param {{ requests: number, bytes: number }} counted
 * @param {number} size of one right answer, on average
 * @param {number} open answers that may have been under way at the end
 */
export function lengthFault({ requests, bytes }, size, open) {
  const right = requests * size;
  if (Math.abs(bytes - right) <= open * size) return undefined;
  return `${requests} answers had ${bytes} bytes, where right ones have ${Math.round(right)}`;
}

/**
 * @param {import('./peer-server.mjs').PeerServer} server
 * @param {Load} load
 * @param {number} seconds
 */
export async function generate(server, load, seconds) {
  const size = await rightSize(server.port, load);
  const before = { server: cpuMsOf(server.processes()), load: endedChildrenCpuMs(), cores: busyMs() };
  const run = tool === 'wrk' ? await runWrk(server, load, seconds) : await runAutocannon(server, load, seconds);
  const cpu = cpuMsOf(server.processes()) - before.server;
  const loadCpu = endedChildrenCpuMs() - before.load;
  const [serverBusy, loadBusy] = busyMs().map((ms, index) => ms - before.cores[index]);
  const errors = [...run.errors];
  const fault =
    run.bytes === undefined ? undefined : lengthFault(run, size, load.connections * (load.pipelined ?? 1) * 2);
  if (fault !== undefined) errors.push(fault);
  if (run.requests === 0) errors.push('no request was answered');
  if (errors.length > 0) throw new Error(errors.join('; '));
  const foreign = Math.max(0, serverBusy - cpu, loadBusy - loadCpu) / (seconds * 1000);
  // The load's core at its limit means that the server was not.
  return {
    ...{ rate: run.rate, p50: run.p50, p99: run.p99, cpuUs: (cpu * 1000) / run.requests, foreign },
    loadBusy: loadCpu / (seconds * 1000),
  };
}

/** Status, length and bytes of the right answer, on a kept connection and on one that closes. */
async function rightSize(port, { expect, requestsPerConnection = 0, ...request }) {
  const closing = { ...request, headers: { ...request.headers, Connection: 'close' } };
  const checked = async (asked) => {
    const { status, body, bytes } = await askRaw(port, asked);
    const text = expect.isCompressed ? gunzipSync(Buffer.from(body, 'latin1')).toString('latin1') : body;
    if (status !== expect.status || text !== expect.body)
      throw new Error(`answered ${status} with ${body.length} bytes: ${JSON.stringify(text.slice(0, 100))}`);
    return bytes;
  };
  if (requestsPerConnection === 0) return checked(request);
  const last = await checked(closing);
  if (requestsPerConnection === 1) return last;
  return ((requestsPerConnection - 1) * (await checked(request)) + last) / requestsPerConnection;
}

async function runWrk(server, load, seconds) {
  const script = join(server.place.folder, 'load.lua');
  writeFileSync(script, luaOf(load));
  const args = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s', '-s', script];
  const url = `http://127.0.0.1:${server.port}${load.path}`;
  return readWrk(await output(['wrk', ...args, url], (seconds + 30) * 1000));
}

async function runAutocannon(server, load, seconds) {
  const { method = 'GET', headers = {}, bodyBytes = 0, pipelined = 1, requestsPerConnection = 0, expect } = load;
  if (expect.isCompressed) throw new Error('autocannon cannot check compressed answers: apt-get install wrk');
  const main = createRequire(import.meta.url).resolve('autocannon');
  const args = ['-j', '-c', String(load.connections), '-d', String(seconds), '-m', method, '-p', String(pipelined)];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}=${value}`);
  if (bodyBytes > 0) args.push('-b', 'x'.repeat(bodyBytes));
  if (requestsPerConnection > 0) args.push('-D', String(requestsPerConnection));
  args.push('-E', expect.body, `http://127.0.0.1:${server.port}${load.path}`);
  const text = await output([process.execPath, main, ...args], (seconds + 30) * 1000);
  const result = JSON.parse(text.slice(text.indexOf('{')));
  const faults = { errors: result.errors, timeouts: result.timeouts, 'wrong bodies': result.mismatches };
  faults['not 2xx'] = result.non2xx;
  return {
    ...{ requests: result.requests.total, rate: result.requests.average, bytes: undefined },
    ...{ p50: result.latency.p50, p99: result.latency.p99 },
    errors: Object.entries(faults).flatMap(([name, count]) => (count > 0 ? [`${count} × ${name}`] : [])),
  };
}

/** @returns {Promise<string>} */
function output(command, timeoutMs) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', loadCores, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let text = '';
    let said = '';
    child.stdout.on('data', (bytes) => (text += bytes));
    child.stderr.on('data', (bytes) => (said += bytes));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command[0]} ended with ${code}: ${text}${said}`)),
    );
  });
}
