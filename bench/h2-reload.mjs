/**
 * Reloads with HTTP/2 streams in flight, and certificates that are renewed under load: what is lost. Exits with 1 if anything is.
 *
 *   node bench/h2-reload.mjs reload [--reloads N] [--connections N] [--streams N] [--cli PATH]
 *   node bench/h2-reload.mjs renew [--renewals N] [--cli PATH]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { makeCertificate } from './lib/certificate.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    reloads: { type: 'string', default: '5' },
    renewals: { type: 'string', default: '50' },
    connections: { type: 'string', default: '100' },
    streams: { type: 'string', default: '20' },
    cli: { type: 'string', default: fileURLToPath(new URL('../dist/cli.js', import.meta.url)) },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
const at = (name) => join(folder, name);

/** Answers `/slow` after a while, all else at once; echoes WebSockets. */
const app = `
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
const { WebSocketServer } = createRequire(process.env.BENCH)('ws');
const server = createServer((req, res) => {
  if (!req.url.startsWith('/slow')) return res.end('now');
  setTimeout(() => res.end('slow ' + process.pid), 500 + Math.random() * 1500);
});
new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (bytes) => socket.send(bytes)));
server.listen(process.env.PORT);
`;

async function start() {
  mkdirSync(at('first'));
  makeCertificate(at('first'), 'first.example');
  symlinkSync('first', at('live'));
  writeFileSync(at('app.mjs'), app);
  const pair = ['--certfile', at('live/a.crt'), '--keyfile', at('live/a.key')];
  const child = spawn(process.execPath, [values.cli, at('app.mjs'), '-w', '2', '-b', '127.0.0.1:0', ...pair], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, BENCH: import.meta.url, TSGUN_LOG_FORMAT: 'json' },
  });
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
  const event = async (name, count = 1) => {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(10)) {
      const found = log.filter((line) => line.event === name);
      if (found.length >= count) return found[count - 1];
    }
    throw new Error(
      `no ${name}:\n${log
        .slice(-20)
        .map((line) => JSON.stringify(line))
        .join('\n')}`,
    );
  };
  const { url } = await event('listening');
  return { child, event, log, url, port: Number(new URL(url).port) };
}

function open(url) {
  const session = connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  return session;
}

async function ask(session, path) {
  const stream = session.request({ ':path': path });
  const response = once(stream, 'response');
  stream.end();
  const [fields] = await response;
  return `${fields[':status']} ${await text(stream)}`;
}

async function reload({ child, event, url }) {
  const [connections, streams] = [Number(values.connections), Number(values.streams)];
  let lost = 0;
  let answered = 0;
  for (let round = 1; round <= Number(values.reloads); round++) {
    const sessions = Array.from({ length: connections }, () => open(url));
    const all = sessions.flatMap((session) => Array.from({ length: streams }, () => ask(session, '/slow')));
    const settled = Promise.allSettled(all);
    // An answer to a PING says that the streams before it were read: they are in flight.
    await Promise.all(sessions.map((session) => new Promise((resolve) => session.ping(resolve))));
    child.kill('SIGHUP');
    const results = await settled;
    answered += results.filter(({ value }) => /^200 slow \d+$/.test(value)).length;
    lost += results.filter(({ value }) => !/^200 slow \d+$/.test(value)).length;
    for (const { reason } of results.filter(({ status }) => status === 'rejected').slice(0, 3)) console.log(reason);
    await event('reload_finished', round);
    for (const session of sessions) session.close();
  }
  console.log(
    `${values.reloads} reloads, ${connections} connections with ${streams} streams in flight: ${answered} answered, ${lost} lost`,
  );
  return lost;
}

async function renew({ child, event, url, port }) {
  let isOver = false;
  let failed = 0;
  const counts = { h1: 0, h2: 0 };
  const note = (error) => {
    failed++;
    console.log(error);
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });
  const h1 = async () => {
    for (; !isOver; await sleep(5)) {
      const asked = request({ port, host: '127.0.0.1', agent, path: '/' }).end();
      await once(asked, 'response').then(
        async ([response]) => (await text(response)) === 'now' && counts.h1++,
        // Node says which ones met the end of an idle connection; clients send these again.
        (error) => asked.reusedSocket || note(error),
      );
    }
  };
  const h2 = async () => {
    let session = open(url);
    session.once('goaway', () => (session = open(url)));
    for (; !isOver; await sleep(5)) {
      const current = session;
      await ask(current, '/').then(
        (answer) => (answer === '200 now' ? counts.h2++ : note(answer)),
        (error) => {
          // What came behind GOAWAY was not begun with, and clients send it again.
          if (!current.closed && !current.destroyed) note(error);
          session = open(url);
        },
      );
    }
    session.destroy();
  };
  const socket = new WebSocket(url.replace('https', 'wss'), { rejectUnauthorized: false });
  await once(socket, 'open');
  let isAlive = true;
  let wasAlive = false;
  socket.once('close', () => (isAlive = false));
  const loads = [h1(), h1(), h1(), h2(), h2(), h2()];
  const shown = async () => {
    const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const { subjectaltname } = client.getPeerCertificate();
    client.destroy();
    return subjectaltname;
  };
  let slowest = 0;
  let echoes = 0;
  const reloads = { count: 0 };
  for (let round = 0; round < Number(values.renewals); round++) {
    const name = `n${round}.example`;
    // A reload ends the WebSocket with its worker: those come last.
    const isHup = round >= (Number(values.renewals) * 2) / 3;
    const way = isHup ? 'HUP' : ['rename', 'symlink'][round % 2];
    if (isHup && reloads.count === 0) wasAlive = isAlive;
    if (reloads.count > 0) await event('reload_finished', reloads.count);
    mkdirSync(at(name));
    makeCertificate(at(name), name);
    if (way === 'rename') {
      renameSync(at(`${name}/a.key`), at('live/a.key'));
      renameSync(at(`${name}/a.crt`), at('live/a.crt'));
    } else {
      symlinkSync(name, at('next'));
      renameSync(at('next'), at('live'));
    }
    if (isHup) {
      reloads.count++;
      child.kill('SIGHUP');
    }
    const began = Date.now();
    while (!(await shown()).includes(name)) {
      if (Date.now() - began > 10_000) throw new Error(`${name} is not shown`);
      await sleep(20);
    }
    slowest = Math.max(slowest, Date.now() - began);
    if (isAlive) {
      socket.send(name);
      const [answer] = await once(socket, 'message');
      if (String(answer) === name) echoes++;
    }
  }
  isOver = true;
  await Promise.all(loads);
  agent.destroy();
  if (reloads.count > 0) await event('reload_finished', reloads.count);
  console.log(
    `${values.renewals} renewals: ${counts.h1} requests of HTTP/1.1 and ${counts.h2} of HTTP/2, ${failed} failed; ` +
      `the new certificate after at most ${slowest} ms; WebSocket ${wasAlive ? 'open' : 'closed'} ahead of the reloads, ${echoes} echoes`,
  );
  socket.terminate();
  return failed + (slowest > 2000 ? 1 : 0) + (wasAlive ? 0 : 1);
}

const server = await start();
try {
  const lost = await (positionals[0] === 'renew' ? renew(server) : reload(server));
  process.exitCode = lost === 0 ? 0 : 1;
} finally {
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  rmSync(folder, { recursive: true });
}
