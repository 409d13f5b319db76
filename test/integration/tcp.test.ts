/** Raw connections: `apps/fib.ts:tcp` and `apps/echo.ts:tcp` as `nc` sees them, in the classes that have a place for them. */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
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

test('in the threaded class it is refused at the start, with the reason', async () => {
  const tsgun = start('apps/fib.ts:tcp', ['-k', 'threaded']);
  expect((await tsgun.exited).code).toBe(1);
  expect((await tsgun.event('worker_exited')).error).toContain('take --worker-class async or sync');
});
