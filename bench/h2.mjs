/**
 * HTTP/2 and HTTP/1.1 over TLS, by h2load: against Node's own servers with a `(req, res)` handler, and nginx. Each server has
 * a core, the load another; the contestants take turns.
 *
 *   node bench/h2.mjs [h2 | h1] [--rounds N] [--requests N] [--also NAME=PATH/TO/dist/cli.js …]
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from './lib/certificate.mjs';
import { hello } from './lib/expected.mjs';
import { runH2load } from './lib/h2load.mjs';
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
  const options = { length: ['-n', values.requests], cores: String(loadCore), bodyBytes: hello.length };
  const { requests, rate: perSecond } = await runH2load(url, kind, options);
  if (requests !== Number(values.requests)) throw new Error(`${url}: ${requests} of ${values.requests} succeeded`);
  return { rate: perSecond, cpu: ((cpuMs(pid) - cpuBefore) * 1000) / requests };
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
