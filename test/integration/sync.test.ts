/** The sync class: one request at a time, and nobody waits behind it who could be served by another worker. */

import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

/** `/await` and `/block` end when the file `go` is there; `/echo` sends the body back piece by piece; else: who answers. */
const app = `
import { existsSync, writeSync } from 'node:fs'
let running = 0
export default async (env, startResponse) => {
  const { PATH_INFO: path } = env
  const most = ++running
  if (path === '/block') { writeSync(1, 'blocked '); while (!existsSync('go')); }
  if (path === '/await') { writeSync(1, 'awaiting '); while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10)) }
  if (path === '/never') { writeSync(1, 'never '); await new Promise(() => {}) }
  if (path === '/proxy') { running--; throw new Proxy(new Error(), { get() { throw new Error('looked at') } }) }
  if (path === '/short') await new Promise((resolve) => setTimeout(resolve, 5))
  running--
  startResponse('200 OK', [['X-Running', String(most)]])
  if (path === '/echo') return env['wsgi.input']
  return [path === '/flags' ? [env['wsgi.multithread'], env['wsgi.multiprocess']].join() : String(process.pid)]
}
`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

/** Asks for `/await` or `/block`, and waits until a worker is busy with it; it ends when the file `go` is there. */
async function occupy(tsgun: Tsgun, path: string) {
  const before = tsgun.stdout.length;
  const answer = tsgun.get(path);
  await tsgun.until(() => tsgun.stdout.length > before, 'a worker to be busy');
  return { answer };
}

async function crowd(tsgun: Tsgun, count: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => tsgun.connect()));
  for (const client of clients) client.send(get('/'));
  return clients;
}

const areServed = (clients: readonly Client[]) => clients.every(({ received }) => received.startsWith('HTTP/1.1 200'));

/** A server for all tests of a group; the last one may have stopped it. */
function shared(begin: () => Tsgun) {
  const group = { tsgun: undefined as unknown as Tsgun };
  beforeAll(async () => {
    group.tsgun = begin();
    await group.tsgun.event('listening');
  });
  afterAll(async () => {
    if (group.tsgun.process.exitCode === null) await group.tsgun.stop();
  });
  return group;
}

describe.each([
  ['with the internals of Node', ''],
  ['without them', '1'],
])('%s', (_, TSGUN_NO_INTERNALS) => {
  const folder = makeFolder({ 'app.mjs': app }, true);
  const at = (name: string) => join(folder.path, name);
  const sync = (args: readonly string[] = [], isShared = false) =>
    start('app.mjs', ['--worker-class', 'sync', ...args], { cwd: folder.path, env: { TSGUN_NO_INTERNALS }, isShared });
  beforeEach(() => rmSync(at('go'), { force: true }));
  afterAll(() => rmSync(folder.path, { recursive: true }));

  describe('a sync worker', () => {
    const group = shared(() => sync(['--buffer-body', '0'], true));

    it('answers one request of a connection, says close, and closes', async () => {
      const client = await group.tsgun.connect();
      client.send(get('/flags') + get('/'));
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n/);
      expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(client.received).toMatch(/false,false$/);
    });

    it('outlives an error that throws when it is looked at', async () => {
      expect((await group.tsgun.get('/proxy')).status).toBe(500);
      expect((await group.tsgun.get('/flags')).status).toBe(200);
      expect(group.tsgun.lines('worker_spawned')).toHaveLength(1);
    });

    it('streams bodies both ways', async () => {
      const url = await group.tsgun.url('/echo');
      const echoed = await new Promise<string>((resolve) => {
        const sent = request(url, { method: 'POST' }, (response) => {
          let text = '';
          response.once('data', () => sent.end('two'));
          response.on('data', (bytes) => {
            text += bytes;
          });
          response.on('end', () => resolve(text));
        });
        sent.write('one ');
      });
      expect(echoed).toBe('one two');
    });

    it('is not held by clients that send nothing', async () => {
      const silent = await Promise.all(Array.from({ length: 10 }, () => group.tsgun.connect()));
      expect(await group.tsgun.get('/')).toMatchObject({ status: 200 });
      silent[0]!.send(get('/'));
      await silent[0]!.closed;
      expect(silent[0]!.received).toMatch(/^HTTP\/1\.1 200/);
      for (const client of silent) client.socket.destroy();
    });

    it('whose client goes away finishes what it runs before it takes another', async () => {
      const { tsgun } = group;
      const before = tsgun.stdout.length;
      const client = await tsgun.connect();
      client.send(get('/await'));
      await tsgun.until(() => tsgun.stdout.length > before, 'it to be busy');
      client.socket.resetAndDestroy();
      const next = tsgun.get('/await');
      // Nothing is to happen now, and nothing tells that it does not: time in which it could.
      await new Promise((resolve) => setTimeout(resolve, 200));
      folder.write('go', '');
      expect((await next).headers.get('x-running')).toBe('1');
    });

    it('that dies takes only its own request with it', async () => {
      const { tsgun } = group;
      const [pid] = tsgun.living();
      const { answer } = await occupy(tsgun, '/await');
      const lost = answer.catch(() => 'lost');
      const waiting = await crowd(tsgun, 20);
      process.kill(pid!, 'SIGKILL');
      expect(await lost).toBe('lost');
      await Promise.all(waiting.map(({ closed }) => closed));
      expect(areServed(waiting)).toBe(true);
    });

    it('is free at the deadline, though the client has gone and the app never returns', async () => {
      const tsgun = sync(['--request-timeout', '0.5']);
      const client = await tsgun.connect();
      client.send(get('/never'));
      await tsgun.until(() => tsgun.stdout.includes('never'), 'the call');
      client.socket.resetAndDestroy();
      expect((await tsgun.get('/flags')).status).toBe(200);
      const line = await tsgun.event('request_timeout');
      expect(line).toMatchObject({ method: 'GET', path: '/never', outcome: 'the client had gone' });
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    });
  });

  describe('of two sync workers, one', () => {
    const group = shared(() => sync(['--workers', '2', '--bind', `unix:${at('a.sock')}`], true));
    beforeAll(() => group.tsgun.workers(2));

    it('runs one request at a time, however many come and whether the app awaits', async () => {
      const answers = await Promise.all(Array.from({ length: 100 }, () => group.tsgun.get('/short')));
      expect(new Set(answers.map(({ headers }) => headers.get('x-running')))).toEqual(new Set(['1']));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(2);
    });

    it.each(['/await', '/block'])('that is busy with %s takes nothing that the other could serve', async (path) => {
      const slow = await occupy(group.tsgun, path);
      const others = await Promise.all(Array.from({ length: 100 }, () => group.tsgun.get('/')));
      folder.write('go', '');
      const pids = new Set(others.map(({ text }) => text));
      expect(pids.size).toBe(1);
      expect(pids).not.toContain((await slow.answer).text);
    });

    it('serves several sockets, one request at a time over all of them', async () => {
      const slow = await occupy(group.tsgun, '/await');
      const answers = await Promise.all(Array.from({ length: 20 }, () => getThrough(at('a.sock'))));
      folder.write('go', '');
      const { text } = await slow.answer;
      expect(answers.every((answer) => answer.startsWith('HTTP/1.1 200') && !answer.endsWith(text))).toBe(true);
    });
  });

  describe('connections that no sync worker has taken yet', () => {
    const group = shared(() => sync([], true));

    it('go to the new generation at a reload', async () => {
      const { tsgun } = group;
      const [old] = await tsgun.workers(1);
      const slow = await occupy(tsgun, '/await');
      const waiting = await crowd(tsgun, 20);
      tsgun.signal('SIGHUP');
      await Promise.all(waiting.map(({ closed }) => closed));
      // It may answer before the master says that it is ready.
      const young = await tsgun.event('worker_ready', 2);
      expect(waiting.every(({ received }) => received.endsWith(String(young.pid)))).toBe(true);
      folder.write('go', '');
      expect((await slow.answer).text).toBe(String(old));
      await tsgun.event('worker_exited');
    });

    it('stay when the worker count changes', async () => {
      const { tsgun } = group;
      const before = tsgun.lines('worker_exited').length;
      const slow = await occupy(tsgun, '/await');
      const waiting = tsgun.get('/');
      tsgun.signal('SIGTTIN');
      expect((await waiting).status).toBe(200);
      tsgun.signal('SIGTTOU');
      folder.write('go', '');
      expect((await slow.answer).status).toBe(200);
      await tsgun.event('worker_exited', before + 1);
      expect((await tsgun.get('/')).status).toBe(200);
    });

    it.each(['/block', '/await'])('while %s runs are served at a stop, and later clients are refused', async (path) => {
      const tsgun = path === '/await' ? group.tsgun : sync();
      const { port } = new URL(await tsgun.url());
      const slow = await occupy(tsgun, path);
      const waiting = await crowd(tsgun, 20);
      tsgun.signal('SIGTERM');
      await tsgun.event('shutdown_started');
      if (path === '/await') await eventually(() => isRefused(Number(port)));
      folder.write('go', '');
      await Promise.all(waiting.map(({ closed }) => closed));
      expect(areServed(waiting)).toBe(true);
      expect(await slow.answer).toMatchObject({ status: 200 });
      expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    });
  });
});

function getThrough(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(get('/')));
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}
