/**
 * Clients that begin a TLS handshake and do not go on: what others wait, on a kept connection and with a handshake of their own,
 * and what the worker's memory comes to. Whoever is cut comes again.
 *
 *   node bench/handshakes.mjs [none | silent | part | hello …] [--clients N] [--seconds N] [--cli PATH]
 */

import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectPlain, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { forgetPeak, residentBytes } from './lib/processes.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '5' },
    cli: { type: 'string', default: fileURLToPath(new URL('../dist/cli.js', import.meta.url)) },
    attack: { type: 'string' },
    port: { type: 'string' },
  },
});

/** What a client of TLS sends first. */
async function captureHello() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect({ port: listener.address().port, host: '127.0.0.1' }).on('error', () => {});
  const [socket] = await once(listener, 'connection');
  const [hello] = await once(socket, 'data');
  client.destroy();
  listener.close();
  return hello;
}

/** In a process of its own. */
async function attack(port, kind) {
  const hello = await captureHello();
  const sent = { silent: '', part: hello.subarray(0, 5), hello }[kind];
  const begin = () => {
    const socket = connectPlain({ port, host: '127.0.0.1' });
    socket.on('connect', () => socket.write(sent));
    socket.on('error', () => {}).resume();
    socket.on('close', () => setTimeout(begin, 200));
  };
  for (let count = 0; count < Number(values.clients); count++) begin();
  setTimeout(() => process.send('begun'), 2000);
}

async function measure(port, ms) {
  const waits = { kept: [], fresh: [] };
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
  const kept = connect(options).setEncoding('latin1');
  await once(kept, 'secureConnect');
  for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) {
    const began = performance.now();
    kept.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(kept, 'data');
    const between = performance.now();
    waits.kept.push(between - began);
    const fresh = connect(options);
    await once(fresh, 'secureConnect');
    fresh.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    if (!(await text(fresh)).startsWith('HTTP/1.1 200')) throw new Error('a client was not answered');
    waits.fresh.push(performance.now() - between);
  }
  kept.destroy();
  return waits;
}

const at = (waits, share) => waits.sort((a, b) => a - b)[Math.min(waits.length - 1, Math.floor(waits.length * share))];

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')];
  const ofKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...ofKey, '-subj', '/CN=localhost', '-days', '2'], { stdio: 'ignore' });
  const rows = [['clients', 'kept: p50', 'p99', 'new: p50', 'p99', 'answered', 'most memory']];
  const verdicts = [];
  for (const kind of positionals.length > 0 ? positionals : ['none', 'silent', 'part', 'hello']) {
    const args = [benchPath('apps/hello-node.js'), '--interface', 'node', '-k', 'async', '--workers', '1'];
    const tls = ['-b', 'https://127.0.0.1:0', '--certfile', cert, '--keyfile', key, '--header-timeout', '60'];
    const child = spawn(process.execPath, [values.cli, ...args, ...tls], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TSGUN_LOG_FORMAT: 'json' },
    });
    const log = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
    while (!log.some(({ event }) => event === 'listening')) await sleep(20);
    const port = Number(new URL(log.find(({ event }) => event === 'listening').url).port);
    const { pid } = log.find(({ event }) => event === 'worker_ready');
    await measure(port, 1000);
    forgetPeak(pid);
    const attacker =
      kind === 'none'
        ? undefined
        : fork(fileURLToPath(import.meta.url), ['--attack', kind, '--port', String(port), '--clients', values.clients]);
    if (attacker !== undefined) await once(attacker, 'message');
    const { kept, fresh } = await measure(port, Number(values.seconds) * 1000);
    attacker?.kill();
    const figures = [at(kept, 0.5), at(kept, 0.99), at(fresh, 0.5), at(fresh, 0.99)];
    const memory = `${(residentBytes(pid, 'VmHWM') / 2 ** 20).toFixed(0)} MiB`;
    rows.push([kind, ...figures.map((ms) => `${ms.toFixed(1)} ms`), String(kept.length + fresh.length), memory]);
    verdicts.push([`${kind}: the p99 of others is under 50 ms`, Math.max(figures[1], figures[3]) < 50]);
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  printMachine();
  printTable(rows);
  for (const [claim, isMet] of verdicts) judge(claim, isMet);
  rmSync(folder, { recursive: true });
}

if (values.attack === undefined) await main();
else await attack(Number(values.port), values.attack);
