/** The sync class: one request at a time, and nobody waits behind it who could be served by another worker. */

import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start } from './harness.ts';

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
  if (path === '/proxy') throw new Proxy(new Error(), { get() { throw new Error('looked at') } })
  if (path === '/short') await new Promise((resolve) => setTimeout(resolve, 5))
  running--
  startResponse('200 OK', [['X-Running', String(most)]])
  if (path === '/echo') return env['wsgi.input']
  return [path === '/flags' ? [env['wsgi.multithread'], env['wsgi.multiprocess']].join() : String(process.pid)]
}
`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

describe.each([
  ['with the internals of Node', ''],
  ['without them', '1'],
])('%s', (_, TSGUN_NO_INTERNALS) => {
  const sync = (folder: { path: string }, ...args: string[]) =>
    start('app.mjs', ['--worker-class', 'sync', ...args], { cwd: folder.path, env: { TSGUN_NO_INTERNALS } });

  describe('a sync worker', () => {
    it('answers one request of a connection, says close, and closes', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }));
      const client = await tsgun.connect();
      client.send(get('/flags') + get('/'));
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n/);
      expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(client.received).toMatch(/false,true$/);
      await tsgun.stop();
    });

    it('runs one request at a time, however many come and whether the app awaits', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }), '--workers', '2');
      await tsgun.workers(2);
      const answers = await Promise.all(Array.from({ length: 100 }, () => tsgun.get('/short')));
      expect(new Set(answers.map(({ headers }) => headers.get('x-running')))).toEqual(new Set(['1']));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(2);
      await tsgun.stop();
    });

    it('is free at the deadline, though the client has gone and the app never returns', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }), '--request-timeout', '0.5');
      const client = await tsgun.connect();
      client.send(get('/never'));
      await tsgun.until(() => tsgun.stdout.includes('never'), 'the call');
      client.socket.resetAndDestroy();
      expect((await tsgun.get('/flags')).status).toBe(200);
      const line = await tsgun.event('request_timeout');
      expect(line).toMatchObject({ method: 'GET', path: '/never', outcome: 'the client had gone' });
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    });

    it('outlives an error that throws when it is looked at', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }));
      expect((await tsgun.get('/proxy')).status).toBe(500);
      expect((await tsgun.get('/flags')).status).toBe(200);
      expect(tsgun.lines('worker_spawned')).toHaveLength(1);
      await tsgun.stop();
    });

    it('streams bodies both ways', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }), '--buffer-body', '0');
      const url = await tsgun.url('/echo');
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
      await tsgun.stop();
    });

    it.each(['/await', '/block'])('that is busy with %s takes nothing that the other could serve', async (path) => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder, '--workers', '2');
      await tsgun.workers(2);
      const slow = tsgun.get(path);
      await tsgun.until(() => tsgun.stdout !== '', 'one to be busy');
      const others = await Promise.all(Array.from({ length: 100 }, () => tsgun.get('/')));
      folder.write('go', '');
      const pids = new Set(others.map(({ text }) => text));
      expect(pids.size).toBe(1);
      expect(pids).not.toContain((await slow).text);
      await tsgun.stop();
    });

    it('that dies takes only its own request with it', async () => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder);
      const [pid] = await tsgun.workers(1);
      const lost = tsgun.get('/await').catch(() => 'lost');
      await tsgun.until(() => tsgun.stdout !== '', 'it to be busy');
      const waiting = await Promise.all(Array.from({ length: 20 }, () => tsgun.connect()));
      for (const client of waiting) client.send(get('/'));
      process.kill(pid!, 'SIGKILL');
      expect(await lost).toBe('lost');
      await Promise.all(waiting.map(({ closed }) => closed));
      expect(waiting.every(({ received }) => received.startsWith('HTTP/1.1 200'))).toBe(true);
      await tsgun.stop();
    });

    it('whose client goes away finishes what it runs before it takes another', async () => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder);
      const client = await tsgun.connect();
      client.send(get('/await'));
      await tsgun.until(() => tsgun.stdout !== '', 'it to be busy');
      client.socket.resetAndDestroy();
      const next = tsgun.get('/await');
      // Nothing is to happen now, and nothing tells that it does not: time in which it could.
      await new Promise((resolve) => setTimeout(resolve, 200));
      folder.write('go', '');
      expect((await next).headers.get('x-running')).toBe('1');
      await tsgun.stop();
    });

    it('is not held by clients that send nothing', async () => {
      const tsgun = sync(makeFolder({ 'app.mjs': app }));
      const silent = await Promise.all(Array.from({ length: 10 }, () => tsgun.connect()));
      expect(await tsgun.get('/')).toMatchObject({ status: 200 });
      silent[0]!.send(get('/'));
      await silent[0]!.closed;
      expect(silent[0]!.received).toMatch(/^HTTP\/1\.1 200/);
      for (const client of silent) client.socket.destroy();
      await tsgun.stop();
    });

    it('serves several sockets, one request at a time over all of them', async () => {
      const folder = makeFolder({ 'app.mjs': app });
      const path = join(folder.path, 'a.sock');
      const tsgun = sync(folder, '--workers', '2', '--bind', `unix:${path}`);
      await tsgun.workers(2);
      const slow = tsgun.get('/await');
      await tsgun.until(() => tsgun.stdout !== '', 'one to be busy');
      const answers = await Promise.all(Array.from({ length: 20 }, () => getThrough(path)));
      folder.write('go', '');
      const { text } = await slow;
      expect(answers.every((answer) => answer.startsWith('HTTP/1.1 200') && !answer.endsWith(text))).toBe(true);
      await tsgun.stop();
    });
  });

  describe('connections that no sync worker has taken yet', () => {
    it('go to the new generation at a reload', async () => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder);
      const [old] = await tsgun.workers(1);
      const slow = tsgun.get('/await');
      await tsgun.until(() => tsgun.stdout !== '', 'it to be busy');
      const waiting = await Promise.all(Array.from({ length: 20 }, () => tsgun.connect()));
      for (const client of waiting) client.send(get('/'));
      tsgun.signal('SIGHUP');
      await Promise.all(waiting.map(({ closed }) => closed));
      // It may answer before the master says that it is ready.
      const young = await tsgun.event('worker_ready', 2);
      expect(waiting.every(({ received }) => received.endsWith(String(young.pid)))).toBe(true);
      folder.write('go', '');
      expect((await slow).text).toBe(String(old));
      await tsgun.stop();
    });

    it.each(['/await', '/block'])('while %s runs are served at a stop, and later clients are refused', async (path) => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder);
      const { port } = new URL(await tsgun.url());
      const slow = tsgun.get(path);
      await tsgun.until(() => tsgun.stdout !== '', 'it to be busy');
      const waiting = await Promise.all(Array.from({ length: 20 }, () => tsgun.connect()));
      for (const client of waiting) client.send(get('/'));
      tsgun.signal('SIGTERM');
      await tsgun.event('shutdown_started');
      if (path === '/await') await eventually(() => isRefused(Number(port)));
      folder.write('go', '');
      await Promise.all(waiting.map(({ closed }) => closed));
      expect(waiting.every(({ received }) => received.startsWith('HTTP/1.1 200'))).toBe(true);
      expect(await slow).toMatchObject({ status: 200 });
      expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    });

    it('stay when the worker count changes', async () => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = sync(folder);
      await tsgun.workers(1);
      const slow = tsgun.get('/await');
      await tsgun.until(() => tsgun.stdout !== '', 'it to be busy');
      const waiting = tsgun.get('/');
      tsgun.signal('SIGTTIN');
      expect((await waiting).status).toBe(200);
      tsgun.signal('SIGTTOU');
      folder.write('go', '');
      expect((await slow).status).toBe(200);
      await tsgun.event('worker_exited');
      expect((await tsgun.get('/')).status).toBe(200);
      await tsgun.stop();
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
