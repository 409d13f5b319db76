/** Raw connections: `apps/fib.ts:tcp` and `apps/echo.ts:tcp` as `nc` sees them. */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Client } from '../http/client.ts';
import { makeFolder, start, type Tsgun } from './harness.ts';

/** Sends all, ends its side as `nc -N` does, and gives what came. */
async function converse(tsgun: Tsgun, sent: string | Buffer): Promise<Buffer> {
  const { port } = new URL(await tsgun.url());
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(sent);
  return buffer(socket);
}

describe.each([
  ['async', {}],
  ['sync', {}],
  ['threaded', {}],
  ['async', { TSGUN_NO_INTERNALS: '1' }],
  ['sync', { TSGUN_NO_INTERNALS: '1' }],
])('in the %s class %o', { concurrent: true }, (kind, env) => {
  const serve = (app: string, ...args: string[]) => start(app, ['-k', kind, ...args], { env });

  test('each line is answered, bad ones too, and the connection is kept', async () => {
    const tsgun = serve('apps/fib.ts:tcp');
    const ready = await tsgun.event('worker_ready');
    expect(ready.interface).toBe('tcp');
    const { address, url, msg } = await tsgun.event('listening');
    expect({ url, msg }).toEqual({ url: `tcp://${address}`, msg: `listening on tcp://${address}` });
    const client = await tsgun.connect();
    client.send('6\n');
    await client.until(/^fib: 8\n$/);
    client.send('30\r\nabc\n-1\n46\n\n1');
    await client.until(/at most 45, got 46\n.*got ""\n/);
    client.send('0\n');
    await client.until(/fib: 55\n$/);
    expect(client.received.split('\n').slice(0, 4)).toEqual([
      'fib: 8',
      'fib: 832040',
      'error: n must be a whole number from 0 to 45, got "abc"',
      'error: n must be a whole number from 0 to 45, got "-1"',
    ]);
    client.socket.destroy();
    expect((await tsgun.stop()).code).toBe(0);
  });

  test('an app that reads nothing is done with a client that has said something', async () => {
    const folder = makeFolder({ 'bye.mjs': "export const tcp = (socket) => void socket.end('bye\\n');" });
    const tsgun = start('bye.mjs:tcp', ['-k', kind], { env, cwd: folder.path });
    for (let client = 0; client < 3; client++) expect(String(await converse(tsgun, 'hello\n'))).toBe('bye\n');
    expect((await tsgun.stop()).code).toBe(0);
    expect(tsgun.log.some(({ cut }) => cut !== undefined)).toBe(false);
  });

  test.each([
    ['reads nothing', "(socket) => void socket.write('begun')", 'hello'],
    ['waits for its end', "async (socket) => { socket.write('begun'); await once(socket.resume(), 'close') }", 'hello'],
    ['never returns', "(socket) => { socket.write('begun'); return new Promise(() => {}) }", ''],
  ])(
    'an app that %s is rid of a client that has left: the next one is served, and a stop waits for none',
    async (_what, app, said) => {
      // What somebody has to read, the end of the client lies behind.
      const sent = 'TSGUN_NO_INTERNALS' in env && !app.includes('resume') ? '' : said;
      const folder = makeFolder({ 'left.mjs': `import { once } from 'node:events'; export const tcp = ${app};` });
      const args = ['-k', kind, '--worker-connections', '3', '--graceful-timeout', '600'];
      const tsgun = start('left.mjs:tcp', args, { env, cwd: folder.path });
      for (let round = 0; round < 2; round++) {
        const clients =
          kind === 'sync' ? [await tsgun.connect()] : await Promise.all([1, 2, 3].map(() => tsgun.connect()));
        for (const client of clients) await client.until(/begun/);
        for (const client of clients) client.socket.end(sent);
      }
      const next = await tsgun.connect();
      await next.until(/begun/);
      next.socket.end(sent);
      expect((await tsgun.stop()).code).toBe(0);
      expect(tsgun.log.some(({ cut }) => cut !== undefined)).toBe(false);
    },
  );

  test('an app may answer a client that has ended its side, as long as it is never silent for a second', async () => {
    const app = `import { once } from 'node:events'; import { setTimeout as sleep } from 'node:timers/promises';
      export const tcp = async (socket) => { await once(socket.resume(), 'end'); for (const word of 'abc') { await sleep(700); socket.write(word) } };`;
    const tsgun = start('slow.mjs:tcp', ['-k', kind], { env, cwd: makeFolder({ 'slow.mjs': app }).path });
    expect(String(await converse(tsgun, 'hello'))).toBe('abc');
    await tsgun.stop();
  });

  test('an app that needs longer says so by a timeout of its own', async () => {
    const app = `import { once } from 'node:events'; import { setTimeout as sleep } from 'node:timers/promises';
      export const tcp = async (socket) => { socket.setTimeout(30_000); await once(socket.resume(), 'end'); await sleep(2000); socket.write('late') };`;
    const tsgun = start('slow.mjs:tcp', ['-k', kind], { env, cwd: makeFolder({ 'slow.mjs': app }).path });
    expect(String(await converse(tsgun, 'hello'))).toBe('late');
    await tsgun.stop();
  });

  test('a line of five megabytes is answered once, and the next one too', async () => {
    const tsgun = serve('apps/fib.ts:tcp');
    const answer = await converse(tsgun, `6\n${'9'.repeat(5_000_000)}\n7`);
    expect(answer.toString()).toBe('fib: 8\nerror: a line has at most 64 bytes\nfib: 13\n');
    await tsgun.stop();
  });

  test('300 clients are all answered, whoever vanishes among them', async () => {
    const tsgun = serve('apps/fib.ts:tcp', '--workers', '2');
    const answers = Array.from({ length: 300 }, async (_, n) => {
      if (n % 10 !== 0) return String(await converse(tsgun, `${n % 20}\n6`));
      const client = await tsgun.connect();
      client.send('20\n6');
      client.socket.resetAndDestroy();
      return 'fib: 8\n';
    });
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/fib: 8\n$/);
    expect(tsgun.lines('request_failed')).toEqual([]);
    expect((await tsgun.stop()).code).toBe(0);
  });

  test('bytes come back as they went', async () => {
    const tsgun = serve('apps/echo.ts:tcp');
    const bytes = randomBytes(3_000_000);
    expect((await converse(tsgun, bytes)).equals(bytes)).toBe(true);
    await tsgun.stop();
  });

  test('a reload asks the app to finish, and new connections are served by the new worker', async () => {
    const tsgun = serve('apps/fib.ts:tcp');
    const client = await tsgun.connect();
    client.send('6\n');
    await client.until(/fib: 8\n/);
    tsgun.signal('SIGHUP');
    await client.closed;
    await tsgun.event('reload_finished');
    expect(String(await converse(tsgun, '7\n'))).toBe('fib: 13\n');
    expect((await tsgun.stop()).code).toBe(0);
  });
});

test('an app that does not finish is cut at graceful-timeout', async () => {
  const { path } = makeFolder({ 'deaf.mjs': 'export const app = (socket) => { socket.write("x"); };' });
  const tsgun = start(`${path}/deaf.mjs`, ['--interface', 'tcp', '--graceful-timeout', '1']);
  const client = await tsgun.connect();
  await client.until(/x/);
  tsgun.signal('SIGTERM');
  await client.closed;
  expect((await tsgun.exited).code).toBe(0);
  expect(tsgun.log.find(({ cut }) => cut === 1)).toBeDefined();
});

test('an app that fails has its connection cut, and a line in the log', async () => {
  const { path } = makeFolder({
    'bad.mjs': 'export const tcp = async (socket) => { await 1; throw new Error("no good"); };',
  });
  const tsgun = start(`${path}/bad.mjs:tcp`);
  const { port } = new URL(await tsgun.url());
  // Cut so soon that the connection may never have been seen as made.
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  expect(await tsgun.event('request_failed')).toMatchObject({ error: 'no good', method: 'TCP' });
  await tsgun.stop();
});

test('in the sync class a worker has one connection at a time', async () => {
  const tsgun = start('apps/fib.ts:tcp', ['-k', 'sync']);
  const first = await tsgun.connect();
  first.send('6\n');
  await first.until(/fib: 8\n/);
  const second = await tsgun.connect();
  second.send('7\n');
  first.send('1\n');
  await first.until(/fib: 1\n/);
  expect(second.received).toBe('');
  first.socket.destroy();
  await second.until(/fib: 13\n/);
  second.socket.destroy();
  await tsgun.stop();
});

describe('in the threaded class', () => {
  const app = `import net from 'node:net';
    import { threadId } from 'node:worker_threads';
    export const tcp = (socket, { signal }) => {
      socket.setEncoding('latin1').on('data', (text) => {
        if (text === 'throw') setImmediate(() => { throw new Error('escaped'); });
        else if (text === 'block') for (;;);
        else if (text === 'asked to end?') socket.write(String(signal.aborted));
        else socket.write(text + ' ' + threadId + ' ' + [socket instanceof net.Socket, socket.remotePort, socket.remoteAddress]);
      });
    };`;
  const serve = () =>
    start('threads.mjs:tcp', ['-k', 'threaded', '--threads', '2'], { cwd: makeFolder({ 'threads.mjs': app }).path });
  const threadOf = async (client: Client) => {
    client.send('who');
    const [, thread] = await client.until(/who (\d+) /);
    return thread;
  };

  test('connections are spread over the threads; one that computes holds up no other thread, and a stop cuts it', async () => {
    const tsgun = serve();
    const [first, second] = [await tsgun.connect(), await tsgun.connect()];
    expect(await threadOf(first)).not.toBe(await threadOf(second));
    expect(first.received).toContain(`true,${first.socket.localPort},127.0.0.1`);
    first.send('block');
    second.send('on');
    await second.until(/on \d/);
    second.socket.end();
    tsgun.signal('SIGQUIT');
    expect((await tsgun.exited).code).toBe(0);
  });

  test('the end of one connection is no signal for the others of its thread; that of the worker is', async () => {
    const tsgun = serve();
    const clients = await Promise.all([1, 2, 3, 4].map(() => tsgun.connect()));
    const threads = await Promise.all(clients.map(threadOf));
    const [first, ...others] = clients;
    const second = others[threads.slice(1).indexOf(threads[0])]!;
    first!.socket.end();
    await first!.closed;
    second.send('asked to end?');
    await second.until(/false$/);
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    const asking = setInterval(() => second.send('asked to end?'), 20);
    await second.until(/true$/);
    clearInterval(asking);
    for (const client of others) client.socket.end();
    expect((await tsgun.exited).code).toBe(0);
  });

  test('an error that escapes ends its thread and cuts its connections; the others live on, and a new thread serves', async () => {
    const tsgun = serve();
    const [first, second] = [await tsgun.connect(), await tsgun.connect()];
    await threadOf(first);
    const other = await threadOf(second);
    first.send('throw');
    await first.closed;
    second.send('on');
    await second.until(new RegExp(`on ${other} `));
    const third = await tsgun.connect();
    expect(await threadOf(third)).not.toBe(undefined);
    expect(tsgun.log.some(({ msg }) => msg.includes('a thread ended'))).toBe(true);
    for (const client of [second, third]) client.socket.end();
    expect((await tsgun.stop()).code).toBe(0);
  });

  test('a client that does not read holds up its app, and that a client which writes on', async () => {
    const flood = `export const tcp = (socket) => {
        let sent = 0;
        const more = () => { while (sent < 1e9) { sent += 65536; if (!socket.write(Buffer.alloc(65536))) return socket.once('drain', more); } };
        more();
        socket.on('data', () => socket.end('sent ' + sent));
      };`;
    const { path } = makeFolder({ 'flood.mjs': flood });
    const tsgun = start('flood.mjs:tcp', ['-k', 'threaded', '--threads', '1'], { cwd: path });
    const client = await tsgun.connect();
    client.socket.pause();
    await tsgun.event('worker_ready');
    client.send('how much');
    client.socket.resume();
    const [, sent] = await client.until(/sent (\d+)/);
    expect(Number(sent)).toBeLessThan(100_000_000);
    expect((await tsgun.stop()).code).toBe(0);
  });

  test('a net.Server of a program that listens is served too', async () => {
    const { path } = makeFolder({
      'server.cjs': `require('node:net').createServer((socket) => socket.pipe(socket)).listen(9999);`,
    });
    const tsgun = start('server.cjs', ['-k', 'threaded', '--threads', '2'], { cwd: path });
    const { address, url } = await tsgun.event('listening');
    expect(url).toBe(`tcp://${address}`);
    expect(String(await converse(tsgun, 'to and fro'))).toBe('to and fro');
    expect((await tsgun.stop()).code).toBe(0);
  });
});
