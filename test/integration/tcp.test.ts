/** Raw connections: `apps/fib.ts:tcp` and `apps/echo.ts:tcp` as `nc` sees them. */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../http/client.ts';
import { makeFolder, start, type Tsgun } from './harness.ts';

/** Sends all, ends its side as `nc -N` does, and gives what came. */
async function converse(tsgun: Tsgun, sent: string | Buffer): Promise<Buffer> {
  const { port } = new URL(await tsgun.url());
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(sent);
  return buffer(socket);
}

const hub = `${fileURLToPath(new URL('tcp-app.ts', import.meta.url))}:tcp`;

/** A server for all tests of a group, and how to say which of `tcp-app.ts` the next connections have. */
function shared(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { path, write } = makeFolder({}, true);
  return {
    serve: (app: string) => write('app', app),
    begin: (isShared = true) => start(hub, args, { env, cwd: path, isShared }),
    async end(tsgun: Tsgun) {
      expect((await tsgun.stop()).code).toBe(0);
      rmSync(path, { recursive: true });
    },
  };
}

describe.concurrent.each([
  ['async', {}],
  ['sync', {}],
  ['threaded', {}],
  ['async', { TSGUN_NO_INTERNALS: '1' }],
  ['sync', { TSGUN_NO_INTERNALS: '1' }],
])('in the %s class %o', (kind, env) => {
  describe('a worker', { concurrent: false }, () => {
    const { serve, begin, end } = shared(['-k', kind], env);
    let tsgun: Tsgun;
    beforeAll(async () => {
      tsgun = begin();
      await tsgun.workers(1);
    });
    afterAll(() => end(tsgun));

    test('answers each line, bad ones too, and keeps the connection', async () => {
      serve('fib');
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
    });

    test('answers a line of five megabytes once, and the next one too', async () => {
      serve('fib');
      const answer = await converse(tsgun, `6\n${'9'.repeat(5_000_000)}\n7`);
      expect(answer.toString()).toBe('fib: 8\nerror: a line has at most 64 bytes\nfib: 13\n');
    });

    test('gives bytes back as they came', async () => {
      serve('echo');
      const bytes = randomBytes(3_000_000);
      expect((await converse(tsgun, bytes)).equals(bytes)).toBe(true);
    });

    test('lets an app answer a client that has ended its side, as long as it is never silent for a second', async () => {
      serve('slow');
      expect(String(await converse(tsgun, 'hello'))).toBe('abc');
    });

    test('lets an app that needs longer say so by a timeout of its own', async () => {
      serve('late');
      expect(String(await converse(tsgun, 'hello'))).toBe('late');
    });

    test('asks the app to finish at a reload, and new connections are served by the new worker', async () => {
      serve('fib');
      const client = await tsgun.connect();
      client.send('6\n');
      await client.until(/fib: 8\n/);
      tsgun.signal('SIGHUP');
      await client.closed;
      await tsgun.event('reload_finished');
      expect(String(await converse(tsgun, '7\n'))).toBe('fib: 13\n');
    });

    test('and another one answer all of 300 clients, whoever vanishes among them', async () => {
      serve('fib');
      tsgun.signal('SIGTTIN');
      await tsgun.workers(tsgun.lines('worker_ready').length + 1);
      const answers = Array.from({ length: 300 }, async (_, n) => {
        if (n % 10 !== 0) return String(await converse(tsgun, `${n % 20}\n6`));
        const client = await tsgun.connect();
        client.send('20\n6');
        client.socket.resetAndDestroy();
        return 'fib: 8\n';
      });
      for (const answer of await Promise.all(answers)) expect(answer).toMatch(/fib: 8\n$/);
      expect(tsgun.lines('request_failed')).toEqual([]);
    });
  });

  describe('a worker with three places, and all the time to finish,', { concurrent: false }, () => {
    const args = ['-k', kind, '--worker-connections', '3', '--graceful-timeout', '600'];
    const { serve, begin, end } = shared(args, env);
    let tsgun: Tsgun;
    beforeAll(async () => {
      tsgun = begin();
      await tsgun.workers(1);
    });
    afterAll(async () => {
      await end(tsgun);
      expect(tsgun.log.some(({ cut }) => cut !== undefined)).toBe(false);
    });

    test('whose app reads nothing is done with a client that has said something', async () => {
      serve('bye');
      for (let client = 0; client < 3; client++) expect(String(await converse(tsgun, 'hello\n'))).toBe('bye\n');
    });

    test.each([
      ['reads nothing', 'hello'],
      ['waits for its end', 'hello'],
      ['never returns', ''],
    ])(
      'whose app %s is rid of a client that has left: it serves the next one, and leaves without waiting',
      async (app, said) => {
        serve(app);
        // What somebody has to read, the end of the client lies behind.
        const sent = 'TSGUN_NO_INTERNALS' in env && app !== 'waits for its end' ? '' : said;
        for (let round = 0; round < 2; round++) {
          const clients =
            kind === 'sync' ? [await tsgun.connect()] : await Promise.all([1, 2, 3].map(() => tsgun.connect()));
          for (const client of clients) await client.until(/begun/);
          for (const client of clients) client.socket.end(sent);
        }
        const next = await tsgun.connect();
        await next.until(/begun/);
        next.socket.end(sent);
        if (app === 'never returns') return;
        // The last one leaves at the stop.
        const gone = tsgun.lines('worker_exited').length + 1;
        tsgun.signal('SIGHUP');
        await tsgun.event('reload_finished', gone);
        expect(await tsgun.event('worker_exited', gone)).toMatchObject({ reason: 'reload', code: 0 });
      },
    );
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
  const { serve, begin, end } = shared(['-k', 'threaded', '--threads', '2']);
  let tsgun: Tsgun;
  beforeAll(async () => {
    tsgun = begin();
    await tsgun.workers(1);
  });
  afterAll(() => end(tsgun));
  const threadOf = async (client: Client) => {
    client.send('who');
    const [, thread] = await client.until(/who (\d+) /);
    return thread;
  };

  test('a client that does not read holds up its app, and that a client which writes on', async () => {
    serve('flood');
    const client = await tsgun.connect();
    client.socket.pause();
    client.send('how much');
    client.socket.resume();
    const [, sent] = await client.until(/sent (\d+)/);
    expect(Number(sent)).toBeLessThan(100_000_000);
  });

  test('the end of one connection is no signal for the others of its thread; that of the worker is', async () => {
    serve('threads');
    const clients = await Promise.all([1, 2, 3, 4].map(() => tsgun.connect()));
    const threads = await Promise.all(clients.map(threadOf));
    const [first, ...others] = clients;
    const second = others[threads.slice(1).indexOf(threads[0])]!;
    first!.socket.end();
    await first!.closed;
    second.send('asked to end?');
    await second.until(/false$/);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    const asking = setInterval(() => second.send('asked to end?'), 20);
    await second.until(/true$/);
    clearInterval(asking);
    for (const client of others) client.socket.end();
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'reload', code: 0 });
  });

  test('an error that escapes ends its thread and cuts its connections; the others live on, and a new thread serves', async () => {
    serve('threads');
    const [first, second] = [await tsgun.connect(), await tsgun.connect()];
    await threadOf(first);
    const other = await threadOf(second);
    first.send('throw');
    await first.closed;
    second.send('on');
    await second.until(new RegExp(`on ${other} `));
    const third = await tsgun.connect();
    expect(await threadOf(third)).not.toBe(undefined);
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.includes('a thread ended')), 'the end of the thread');
    for (const client of [second, third]) client.socket.end();
    await Promise.all([second.closed, third.closed]);
  });

  test('connections are spread over the threads; one that computes holds up no other thread, and a stop cuts it', async () => {
    serve('threads');
    const own = begin(false);
    const [first, second] = [await own.connect(), await own.connect()];
    expect(await threadOf(first)).not.toBe(await threadOf(second));
    expect(first.received).toContain(`true,${first.socket.localPort},127.0.0.1`);
    first.send('block');
    second.send('on');
    await second.until(/on \d/);
    second.socket.end();
    own.signal('SIGQUIT');
    expect((await own.exited).code).toBe(0);
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
