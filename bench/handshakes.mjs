/**
 * Clients that begin a TLS handshake and do not go on: what others wait, on a kept connection and with a handshake of their own,
 * and what the worker's memory comes to. Whoever is cut comes again.
 *
 *   node bench/handshakes.mjs [none | silent | part | hello …] [--clients N] [--seconds N] [--cli PATH]
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectPlain, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCertificate } from './lib/certificate.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';
import { quantile, shown, underAttack, waitsOf } from './lib/under-attack.mjs';

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

/** On a kept connection, and on new ones beside it. */
async function measure(port, ms) {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
  const socket = connect(options).setEncoding('latin1');
  await once(socket, 'secureConnect');
  const askKept = async () => {
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(socket, 'data');
  };
  const askFresh = async () => {
    const fresh = connect(options);
    await once(fresh, 'secureConnect');
    fresh.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    if (!(await text(fresh)).startsWith('HTTP/1.1 200')) throw new Error('a client was not answered');
  };
  const [kept, fresh] = await Promise.all([waitsOf(askKept, ms), waitsOf(askFresh, ms)]);
  socket.destroy();
  return { kept, fresh };
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  const { certfile, keyfile } = makeCertificate(folder);
  const rows = [['clients', 'kept: p50', 'p99', 'new: p50', 'p99', 'answered', 'most memory']];
  const verdicts = [];
  for (const kind of positionals.length > 0 ? positionals : ['none', 'silent', 'part', 'hello']) {
    const args = [benchPath('apps/hello-node.js'), '--interface', 'node', '-k', 'async', '--workers', '1'];
    const tls = ['-b', 'https://127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile, '--header-timeout', '60'];
    const { measured, memory } = await underAttack({
      cli: values.cli,
      args: [...args, ...tls],
      attack:
        kind === 'none' ? undefined : (port) => ['--attack', kind, '--port', String(port), '--clients', values.clients],
      seconds: Number(values.seconds),
      measure,
    });
    const { kept, fresh } = measured;
    const figures = [quantile(kept, 0.5), quantile(kept, 0.99), quantile(fresh, 0.5), quantile(fresh, 0.99)];
    rows.push([kind, ...figures.map(shown), String(kept.length + fresh.length), memory]);
    verdicts.push([`${kind}: the p99 of others is under 50 ms`, Math.max(figures[1], figures[3]) < 50]);
  }
  printMachine();
  printTable(rows);
  for (const [claim, isMet] of verdicts) judge(claim, isMet);
  rmSync(folder, { recursive: true });
}

if (values.attack === undefined) await main();
else await attack(Number(values.port), values.attack);
