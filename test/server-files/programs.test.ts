/** Programs as their frameworks' manuals have them, unchanged: each answers as under node, and lives on over reloads and crashes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, start, type Tsgun } from '../integration/harness.ts';
import { freePort } from '../ports.ts';

const folder = fileURLToPath(new URL('programs', import.meta.url));

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

async function answerOf(base: string, [path, init]: Question): Promise<Answer> {
  const response = await fetch(base + path, init);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

type Question = readonly [path: string, init?: RequestInit];

const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' };
const programs: Record<string, readonly Question[]> = {
  'http.cjs': [['/a?b=c'], ['/a', { method: 'PUT', body: 'x' }]],
  'express.mjs': [['/user/7'], ['/echo', json], ['/nowhere']],
  'koa.mjs': [['/a?b=c']],
  'fastify.mjs': [['/user/7'], ['/nowhere']],
  'hono.mjs': [['/user/7'], ['/nowhere']],
  'nest.ts': [['/user/7'], ['/nowhere']],
};

/** The program as node runs it, on a port of its own. */
async function openUsual(name: string): Promise<{ url: string; close(): void }> {
  const free = await freePort();
  // A port that is written down is replaced, as the tests run beside each other.
  const replace = `import net from 'node:net';
    const listen = net.Server.prototype.listen;
    net.Server.prototype.listen = function (...args) {
      const [first, ...rest] = args;
      const asked = typeof first === 'object' ? { ...first, port: ${free} } : ${free};
      return Reflect.apply(listen, this, [asked, ...rest]);
    };`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(replace)}`, name];
  const usual = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, PORT: String(free) },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${free}`;
  await eventually(() =>
    fetch(url).then(
      () => true,
      () => false,
    ),
  );
  return { url, close: () => void usual.kill('SIGKILL') };
}

function startProgram(name: string, args: readonly string[]): Tsgun {
  return start(name, ['--threads', '2', ...args], { cwd: folder });
}

/** Asks again and again, each time on a connection of its own, until it is told to stop. */
function askOn(base: string, path: string) {
  const failures: unknown[] = [];
  let count = 0;
  let isOver = false;
  const ask = async () => {
    while (!isOver) {
      await fetch(base + path, { headers: { connection: 'close' } }).then(
        async (response) => {
          await response.text();
          if (response.status !== 200) failures.push(response.status);
          count++;
        },
        (error: unknown) => failures.push(error),
      );
      // Without a pause, the clients would take the CPU time that new workers boot with.
      await sleep(15);
    }
  };
  const asking = Promise.all([ask(), ask()]);
  return {
    failures,
    atLeast: (more: number) => {
      const wanted = count + more;
      return eventually(() => count >= wanted);
    },
    async stop() {
      isOver = true;
      await asking;
    },
  };
}

describe.each(Object.keys(programs))('%s', (name) => {
  const questions = programs[name]!;
  const path = questions[0]![0];
  // The types are compiled by nobody there.
  const hasUsual = !name.endsWith('.ts');
  let usual: Awaited<ReturnType<typeof openUsual>> | undefined;
  beforeAll(async () => {
    if (hasUsual) usual = await openUsual(name);
  });
  afterAll(() => usual?.close());

  /** What it answers is what the program answers under node. */
  async function expectSame(tsgun: Tsgun): Promise<string> {
    const base = await tsgun.url('');
    expect(await tsgun.event('worker_ready')).toMatchObject({
      interface: 'node',
      serves: expect.stringMatching(/^the http\.Server that asked for /),
    });
    for (const question of questions) {
      const answer = await answerOf(base, question);
      if (usual !== undefined) expect(answer).toEqual(await answerOf(usual.url, question));
    }
    return base;
  }

  it.each(hasUsual ? ['threaded', 'sync'] : [])('answers as under node (%s)', async (workerClass) => {
    const tsgun = startProgram(name, ['--worker-class', workerClass]);
    await expectSame(tsgun);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it('answers as under node (async), and loses no request at a reload, when workers come and go, and when the service stops', async () => {
    const tsgun = startProgram(name, []);
    const base = await expectSame(tsgun);
    const asking = askOn(base, path);
    await asking.atLeast(20);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    tsgun.signal('SIGTTIN');
    await tsgun.workers(3);
    tsgun.signal('SIGTTOU');
    await tsgun.event('worker_exited', 2);
    await asking.atLeast(20);
    await asking.stop();
    expect(asking.failures).toEqual([]);

    process.kill(tsgun.living()[0]!, 'SIGKILL');
    await tsgun.workers(4);
    expect(await answerOf(base, questions[0]!)).toMatchObject({ status: 200 });
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.text.filter((line) => /EADDRINUSE/.test(line))).toEqual([]);
  });
});

it('a WebSocket of a program that listens late is served, and told when its worker leaves', async () => {
  const tsgun = startProgram('ws.mjs', []);
  const base = await tsgun.url('');
  expect(await answerOf(base, ['/'])).toMatchObject({ text: 'over HTTP\n' });
  const socket = new WebSocket(base.replace('http', 'ws'));
  await once(socket, 'open');
  socket.send('hello');
  expect(String((await once(socket, 'message'))[0])).toBe('echo hello');
  const closed = once(socket, 'close');
  const exit = tsgun.stop('SIGINT');
  expect((await closed)[0]).toBe(1001);
  expect(await exit).toEqual({ code: 0, signal: null });
});

it('a Socket.IO program over WebSocket is served', async () => {
  const tsgun = startProgram('socket-io.cjs', ['--workers', '2']);
  const socket = io(await tsgun.url(''), { transports: ['websocket'], reconnection: false });
  onTestFinished(() => void socket.close());
  expect(await socket.emitWithAck('say', 'hello')).toBe('heard hello');
  socket.close();
  expect(await tsgun.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

it('Socket.IO reaches the clients of other workers as docs/several-workers.md has it', async () => {
  const { path } = makeFolder({
    'server.cjs': `const from = require('node:module').createRequire(${JSON.stringify(fileURLToPath(import.meta.url))});
      const http = require('node:http').createServer();
      const { Server } = from('socket.io');
      const { createAdapter } = from('@socket.io/cluster-adapter');
      const io = new Server(http, { transports: ['websocket'], adapter: createAdapter() });
      io.on('connection', (socket) => {
        socket.emit('pid', process.pid);
        socket.on('say', (text) => io.emit('said', text));
      });
      http.listen(process.env.PORT);`,
    'tsgun.config.cjs': `const from = require('node:module').createRequire(${JSON.stringify(fileURLToPath(import.meta.url))});
      exports.onStarting = () => from('@socket.io/cluster-adapter').setupPrimary();`,
  });
  const tsgun = start('server.cjs', ['--workers', '2', '--config', 'tsgun.config.cjs'], { cwd: path });
  await tsgun.workers(2);
  const base = await tsgun.url('');
  const sockets: ReturnType<typeof io>[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.close();
  });
  const heard: string[] = [];
  const pids = new Set<unknown>();
  // One after the other, until each worker has one: a worker that the machine does not run for a moment takes none.
  while (pids.size < 2) {
    const socket = io(base, { transports: ['websocket'], forceNew: true });
    sockets.push(socket);
    socket.on('said', (text) => heard.push(text));
    pids.add(await new Promise((resolve) => socket.once('pid', resolve)));
  }
  sockets[0]!.emit('say', 'hello');
  await eventually(() => heard.length === sockets.length);
  for (const socket of sockets) socket.close();
  expect(await tsgun.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

it.each(['async', 'sync'])('a raw TCP program is served, and ends its connections itself (%s)', async (workerClass) => {
  const tsgun = startProgram('net.cjs', ['--worker-class', workerClass]);
  expect(await tsgun.event('worker_ready')).toMatchObject({
    interface: 'tcp',
    serves: 'the net.Server that asked for localhost:9999',
    askedFor: 9999,
  });
  const { url } = await tsgun.event('listening');
  expect(url).toMatch(/^tcp:/);
  const socket = connect(Number(new URL(String(url)).port), '127.0.0.1').setEncoding('utf8');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (piece: string) => {
    text += piece;
  });
  socket.write('hello\n');
  await eventually(() => text === 'hello\n');
  const ended = once(socket, 'end');
  const exit = tsgun.stop();
  await ended;
  expect(text).toBe('hello\nbye\n');
  expect(await exit).toEqual({ code: 0, signal: null });
});
