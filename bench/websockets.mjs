/**
 * WebSockets through a reload: whether the old ones work until graceful-timeout and are then told, and whether a new one is
 * ever refused.
 *
 *   node bench/websockets.mjs [--connections N] [--graceful-timeout S]
 */

import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { startServer } from './lib/servers.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '500' },
    'graceful-timeout': { type: 'string', default: '3' },
  },
});
const count = Number(values.connections);
const gracefulMs = Number(values['graceful-timeout']) * 1000;
/** Each connection sends a message this long after its last one was answered. */
const pauseMs = 100;
/** So many are opened at once, with a breath in between. */
const batch = 10;
const breathMs = 20;

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const command = (app, port) => [
  ...[process.execPath, path('dist/cli.js'), path(app), '--bind', `127.0.0.1:${port}`, '--workers', '2'],
  ...['--graceful-timeout', values['graceful-timeout']],
];

/** One connection that sends numbers and expects them back, for as long as it lives. */
class Conversation {
  echoes = 0;
  wrong = 0;
  lastEchoAt = 0;
  closedAt = 0;
  code = 0;

  static async open(port) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(socket, 'open');
    return new Conversation(socket);
  }

  constructor(socket) {
    this.socket = socket;
    this.first = once(socket, 'message');
    socket.on('error', () => {});
    socket.on('message', (bytes) => this.take(String(bytes)));
    this.closed = once(socket, 'close').then(([code]) => {
      this.closedAt = performance.now();
      this.code = code;
    });
    this.send();
  }

  send() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(String(this.echoes));
  }

  take(text) {
    if (text !== String(this.echoes)) this.wrong++;
    this.echoes++;
    this.lastEchoAt = performance.now();
    setTimeout(() => this.send(), pauseMs);
  }
}

printMachine();
console.log(`${count} WebSockets, two async workers, a reload; graceful-timeout ${gracefulMs / 1000} s.\n`);
const server = await startServer({ name: 'tsgun', command, cores: '0,1' }, 'examples/websocket/app.ts');
const lines = (event) =>
  server
    .log()
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));
try {
  const old = [];
  while (old.length < count)
    old.push(...(await Promise.all(Array.from({ length: batch }, () => Conversation.open(server.port)))));
  await Promise.all(old.map(({ first }) => first));
  const leavers = lines('worker_ready').map(({ pid }) => pid);

  const begunAt = performance.now();
  process.kill(server.pid, 'SIGHUP');
  const opened = [];
  const refused = [];
  // `reload_finished` is when the new ones serve; until the old ones have left, both do.
  while (lines('worker_exited').length < leavers.length) {
    const tries = await Promise.allSettled(Array.from({ length: batch }, () => Conversation.open(server.port)));
    for (const { value, reason } of tries) {
      if (value === undefined) refused.push(reason);
      else opened.push(value);
    }
    await sleep(breathMs);
  }
  await Promise.all(old.map(({ closed }) => closed));
  const seen = new Map(opened.map((conversation) => [conversation, conversation.echoes]));
  await sleep(pauseMs * 5);
  report({ begunAt, old, opened, refused, seen, leavers });
  for (const { socket } of opened) socket.terminate();
} finally {
  await server.stop();
}

function report({ begunAt, old, opened, refused, seen, leavers }) {
  const told = opened.filter(({ code }) => code === 1001);
  const living = opened.filter((one) => one.code === 0 && one.echoes > seen.get(one));
  const toldOld = old.filter(({ code }) => code === 1001);
  // Three times the pause: an answer may be late where thousands are given in a second.
  const usable = toldOld.filter(({ lastEchoAt, closedAt }) => closedAt - lastEchoAt < pauseMs * 3);
  const wrong = [...old, ...opened].reduce((sum, one) => sum + one.wrong, 0);
  const seconds = (list) => {
    const times = list.map(({ closedAt }) => (closedAt - begunAt) / 1000);
    return times.length === 0 ? '–' : `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} s`;
  };
  const echoes = old.reduce((sum, one) => sum + one.echoes, 0);
  printTable([
    ['connections', 'count', 'when'],
    ['open before HUP', String(old.length), `${echoes} messages answered`],
    ['of these answered until their end', String(usable.length), ''],
    ['of these closed with 1001', String(toldOld.length), `${seconds(old)} after HUP`],
    ['opened during the reload', String(opened.length), ''],
    ['of these by a worker that left: closed with 1001', String(told.length), seconds(told)],
    ['of these by a new worker: answered after the reload', String(living.length), ''],
    ['refused', String(refused.length), ''],
  ]);
  const exits = lines('worker_exited').map(({ pid, reason, uptimeMs }) => `${pid} ${reason} after ${uptimeMs} ms`);
  console.log(`Workers that left: ${exits.join(', ')}.\n`);
  judge(`all ${old.length} old ones are answered until graceful-timeout`, usable.length === old.length);
  const isEarly = old.some(({ closedAt }) => closedAt - begunAt < gracefulMs);
  judge('none of them ends before it, and all of them with 1001', !isEarly && toldOld.length === old.length);
  judge(`none is refused${refused.length > 0 ? `: ${refused[0]}` : ''}`, refused.length === 0);
  judge(`${count} or more are opened on new workers`, living.length >= count);
  judge('each that was opened lives on, or was told to leave', told.length + living.length === opened.length);
  judge('every message comes back as it was', wrong === 0);
  const isReplaced =
    leavers.length === 2 && leavers.every((pid) => lines('worker_exited').some((line) => line.pid === pid));
  judge('both workers were replaced', isReplaced);
}
