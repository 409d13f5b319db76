/** `createServer`, as an app's author uses it in tests. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type App, createServer, type ServerSettings, type TcpApp } from 'tsgun';
import { expect, test } from 'vitest';
import { makeFolder } from '../integration/harness.ts';

const hello: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};

test('an app answers on a free port, until it is closed', async () => {
  const server = createServer(hello);
  const { url, port, address } = await server.listen();
  expect(url).toBe(`http://127.0.0.1:${port}`);
  expect(server.address()).toEqual({ url, port, address });
  expect(await (await fetch(url)).text()).toBe('hello');
  await server.close();
  await expect(fetch(url)).rejects.toThrow();
  await server.close();
  expect(() => server.address()).toThrow('does not listen');
});

test('await using closes it', async () => {
  let url: string;
  {
    await using server = createServer(hello);
    ({ url } = await server.listen());
    expect((await fetch(url)).status).toBe(200);
  }
  await expect(fetch(url)).rejects.toThrow();
});

test('a write() that fails, and that nobody awaits, fails its request and not the process', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', note);
  await using server = createServer(
    (env, startResponse) => {
      if (env.PATH_INFO !== '/') void startResponse('200 OK', [])(5 as never);
      return hello(env, env.PATH_INFO === '/' ? startResponse : () => async () => {});
    },
    { logLevel: 'fatal' },
  );
  const { url } = await server.listen();
  expect((await fetch(`${url}/wrong`)).status).toBe(500);
  expect((await fetch(url)).status).toBe(200);
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

test('close waits for the request that runs', async () => {
  const started = withResolvers();
  const finish = withResolvers();
  const server = createServer(async (env, startResponse) => {
    started.resolve(undefined);
    await finish.promise;
    return hello(env, startResponse);
  });
  const { url } = await server.listen();
  const answer = fetch(url);
  await started.promise;
  const closed = server.close();
  finish.resolve(undefined);
  expect(await (await answer).text()).toBe('hello');
  await closed;
});

test('a request that takes longer than gracefulTimeout is cut', async () => {
  const started = withResolvers();
  const server = createServer(
    (_env, _startResponse) => {
      started.resolve(undefined);
      return new Promise(() => {});
    },
    { gracefulTimeout: 0.1 },
  );
  const { url } = await server.listen();
  const answer = fetch(url).catch(() => 'cut');
  await started.promise;
  await server.close();
  expect(await answer).toBe('cut');
});

test('an open connection that says nothing does not hold it up', async () => {
  await using server = createServer(hello);
  const { port } = await server.listen();
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resume();
  await Promise.all([once(socket, 'close'), server.close()]);
});

test('an app is loaded by its path', async () => {
  const { path } = makeFolder({
    'app.mjs':
      "export const mine = (env, start) => { start('200 OK', [['Content-Type', 'text/plain']]); return ['mine']; };",
  });
  await using server = createServer(`${join(path, 'app.mjs')}:mine`);
  const { url } = await server.listen();
  expect(await (await fetch(url)).text()).toBe('mine');
  await expect(createServer(join(path, 'none.mjs')).listen()).rejects.toThrow('no file');
});

test('a raw connection is served, and told to finish at the close', async () => {
  const app: TcpApp = (socket, { signal }) => {
    socket.write('hello\n');
    signal.addEventListener('abort', () => socket.end('bye\n'));
  };
  await using server = createServer(app, { interface: 'tcp' });
  const { port, url } = await server.listen();
  expect(url).toBe(`tcp://127.0.0.1:${port}`);
  const socket = connect(port, '127.0.0.1');
  const all = text(socket);
  await once(socket, 'readable');
  await server.close();
  expect(await all).toBe('hello\nbye\n');
});

test.each<[Record<string, unknown>, string]>([
  [{ workers: 2 }, 'workers: not for createServer()'],
  [{ keepAlive: 'long' }, 'keepAlive: expected a time in seconds'],
  [{ keepalive: 5 }, 'write keepAlive'],
  [{ bind: ['127.0.0.1:0', '127.0.0.1:0'] }, 'bind: createServer() listens on one'],
])('%j is refused', (settings, message) => {
  expect(() => createServer(hello, settings as ServerSettings)).toThrow(message);
});

test('an address in use is an error', async () => {
  await using first = createServer(hello);
  const { port } = await first.listen();
  await expect(createServer(hello, { bind: `127.0.0.1:${port}` }).listen()).rejects.toThrow('in use');
});

test('it leaves no handle behind: the process ends by itself', () => {
  const { path } = makeFolder();
  const code = `
    import { createServer } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const server = createServer((env, start) => { start('200 OK', [['Content-Type', 'text/plain']]); return ['x']; });
    const { url } = await server.listen();
    await (await fetch(url)).text();
    await server.close();
    console.log(process.getActiveResourcesInfo().join());`;
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: path,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([stderr, status]).toEqual(['', 0]);
  expect(stdout).not.toContain('TCPServerWrap');
});

/** Node 20 has no Promise.withResolvers. */
function withResolvers() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
