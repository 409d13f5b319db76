/**
 * HTTP/2 and HTTP/1.1 over TLS, by h2load: against Node's own servers with a `(req, res)` handler, and nginx. Each server has
 * a core, the load another; the contestants take turns.
 *
 *   node bench/h2.mjs [h2 | h1] [--rounds N] [--requests N] [--also NAME=PATH/TO/dist/cli.js …]
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { makeCertificate } from './lib/certificate.mjs';
import { nginxCommand } from './lib/nginx.mjs';
import { cpuMs } from './lib/processes.mjs';
import { judge, median, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath, loadCore, startSecure, tsgun } from './lib/servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '20000' },
    also: { type: 'string', multiple: true, default: [] },
  },
});
const names = positionals.length > 0 ? positionals : ['h2', 'h1'];
const load = {
  h2: ['-c', '10', '-m', '10'],
  h1: ['-c', '32', '--h1'],
};
const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
const { certfile: cert, keyfile: key } = makeCertificate(folder);

const secure = ['--certfile', cert, '--keyfile', key];
const own = (name, options, cli) => ({ app: 'hello-node', ...tsgun(cli, name, [...secure, ...options]) });
const node = (kind) => ({
  name: `node:${kind}`,
  command: (_, port) => [process.execPath, benchPath('node/secure.js'), kind, String(port), cert, key],
});
const nginx = {
  name: 'nginx',
  command: (_, port, directory) =>
    nginxCommand({ folder: directory, port, certificate: { certfile: cert, keyfile: key } }),
};
const others = values.also.map((text) => {
  const [name, cli] = text.split('=');
  return own(name, [], cli);
});

/** @returns requests per second, and CPU time of the server for each, in microseconds */
async function measure({ url, pid }, kind) {
  const cpuBefore = cpuMs(pid);
  const args = ['-c', String(loadCore), 'h2load', '-n', values.requests, ...load[kind], url];
  const { stdout } = await promisify(execFile)('taskset', args, { timeout: 120_000 });
  const cpu = cpuMs(pid) - cpuBefore;
  const [, seconds] = /finished in ([\d.]+)s?,? /.exec(stdout.replace(/([\d.]+)ms/, (_, ms) => `${ms / 1000}s`)) ?? [];
  const [, succeeded] = /(\d+) succeeded/.exec(stdout) ?? [];
  if (Number(succeeded) !== Number(values.requests)) throw new Error(`${url}: not all succeeded:\n${stdout}`);
  return { rate: Number(succeeded) / Number(seconds), cpu: (cpu * 1000) / Number(succeeded) };
}

async function hold(kind) {
  const contestants = [
    own('tsgun, node', ['--interface', 'node']),
    { ...own('tsgun, wsgi', []), app: 'hello' },
    ...others,
    node(kind === 'h2' ? 'http2' : 'https'),
    nginx,
  ];
  const servers = [];
  for (const each of contestants) servers.push({ ...(await startSecure(each, each.app ?? '')), name: each.name });
  const results = new Map(servers.map(({ name }) => [name, []]));
  try {
    for (const server of servers) await measure(server, kind);
    for (let round = 0; round < Number(values.rounds); round++)
      for (const server of servers) results.get(server.name).push(await measure(server, kind));
  } finally {
    for (const server of servers) await server.stop();
  }
  const of = (name, what) => median(results.get(name).map((each) => each[what]));
  const base = kind === 'h2' ? 'node:http2' : 'node:https';
  printTable([
    [`${kind} over TLS`, 'requests/s', `× ${base}`, 'CPU of a request', `× ${base}`],
    ...servers.map(({ name }) => [
      name,
      rate(of(name, 'rate')),
      ratio(of(name, 'rate') / of(base, 'rate')),
      `${of(name, 'cpu').toFixed(1)} µs`,
      ratio(of(base, 'cpu') / of(name, 'cpu')),
    ]),
  ]);
  for (const name of ['tsgun, node', 'tsgun, wsgi'])
    judge(`${kind}: ${name} takes 1/1.2 of the CPU time of ${base}`, of(base, 'cpu') / of(name, 'cpu') >= 1.2);
}

printMachine();
try {
  for (const kind of names) await hold(kind);
} finally {
  rmSync(folder, { recursive: true });
}
