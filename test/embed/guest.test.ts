/** `createServer` is a guest in its caller's process: it leaves nothing behind, and what fails is told to the caller. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type App, ConfigError, createServer, type HookRequest, type LogTarget, type TcpApp } from 'tsgun';
import { expect, test, vi } from 'vitest';
import { eventually, makeFolder } from '../integration/harness.ts';

const hello: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};

/** Says nothing, and keeps what it is told. */
function keeper(): LogTarget & { readonly lines: [level: string, fields: object, message: string][] } {
  const lines: [string, object, string][] = [];
  const take = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  return { lines, info: take('info'), warn: take('warn'), error: take('error') };
}

test("a fetch app leaves the process's fetch, Request and Response as they are, and gets Node's own", async () => {
  const names = ['fetch', 'Request', 'Response', 'Headers'] as const;
  const before = names.map((name) => globalThis[name]);
  await using server = createServer({
    async fetch(request: Request) {
      const copy = new Request(request, { headers: { 'x-own': 'yes' } });
      return new Response(`${request instanceof Request} ${copy.headers.get('x-own')} ${await copy.text()}`);
    },
  });
  const { url } = await server.listen();
  expect(await (await fetch(url, { method: 'POST', body: 'sent' })).text()).toBe('true yes sent');
  expect(names.map((name) => globalThis[name])).toEqual(before);
});

test('a mocked fetch stays mocked', async () => {
  const own = globalThis.fetch;
  const mock = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('mocked'));
  const replaced = globalThis.fetch;
  await using server = createServer(async () => new Response(await (await fetch('http://api.test/')).text()), {
    interface: 'fetch',
  });
  const { url } = await server.listen();
  expect(globalThis.fetch).toBe(replaced);
  expect(await (await own(url)).text()).toBe('mocked');
  mock.mockRestore();
  expect(globalThis.fetch).toBe(own);
});

test('a Response of another class than Node has is an answer too', async () => {
  const theirs = { status: 201, statusText: '', headers: new Headers({ 'x-a': 'b' }), body: new Response('like').body };
  await using server = createServer(() => theirs as unknown as Response, { interface: 'fetch' });
  const response = await fetch((await server.listen()).url);
  expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'like']);
});

test('a thousand servers leave no descriptor, with log files, with requests, listening or not', async () => {
  const errorLogfile = join(makeFolder().path, 'error.log');
  const count = () => readdirSync('/proc/self/fd').length;
  const warmUp = createServer(hello);
  await (await fetch((await warmUp.listen()).url, { headers: { connection: 'close' } })).text();
  await warmUp.close();
  const before = count();
  for (let index = 0; index < 1000; index++) {
    const server = createServer(hello, { errorLogfile });
    if (index % 2 === 0) await server.listen();
    if (index % 50 === 0) await (await fetch(server.address().url, { headers: { connection: 'close' } })).text();
    await server.close();
    createServer(hello, { errorLogfile });
  }
  await eventually(() => count() <= before);
});

test('a log file holds what the app failed with, and is let go at the close', async () => {
  const errorLogfile = join(makeFolder().path, 'error.log');
  const server = createServer(
    () => {
      throw new Error('mine');
    },
    { errorLogfile, interface: 'wsgi' },
  );
  expect((await fetch((await server.listen()).url)).status).toBe(500);
  await server.close();
  expect(readFileSync(errorLogfile, 'utf8')).toContain('"error":"mine"');
  expect(readdirSync('/proc/self/fd').map(linkOf)).not.toContain(errorLogfile);
});

test('a log file that cannot be written is a ConfigError that names the option', () => {
  const errorLogfile = join(makeFolder().path, 'none', 'error.log');
  const attempt = () => createServer(hello, { errorLogfile });
  expect(attempt).toThrow(ConfigError);
  expect(attempt).toThrow(`errorLogfile: expected a file that can be written, got ${errorLogfile}: its folder is not`);
});

test('a unix path whose server was killed is used again, and one that is served is not', async () => {
  // Not in a long folder: a path of a socket is short.
  const path = join(mkdtempSync(join(tmpdir(), 'g-')), 's');
  const code = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  spawnSync(process.execPath, ['-e', code, path]);
  expect(existsSync(path)).toBe(true);
  const server = createServer(hello, { bind: `unix:${path}` });
  expect(await server.listen()).toEqual({ url: `unix:${path}`, address: path, port: 0 });
  const socket = createConnection(path).end('GET / HTTP/1.0\r\n\r\n');
  expect(await text(socket)).toContain('hello');
  const second = createServer(hello, { bind: `unix:${path}` });
  await expect(second.listen()).rejects.toThrow('is in use: a process accepts connections there');
  await server.close();
  expect(existsSync(path)).toBe(false);
});

test('a unix path in a missing directory has the same error as with the command', async () => {
  const listening = createServer(hello, { bind: 'unix:/none/app.sock' }).listen();
  await expect(listening).rejects.toThrow('bind: unix:/none/app.sock: the directory is not there: make it first');
  await expect(listening).rejects.toBeInstanceOf(ConfigError);
});

test('listen() may be called again when the address is free, and errors name options', async () => {
  const first = createServer(hello);
  const { port } = await first.listen();
  await using second = createServer(hello, { bind: `127.0.0.1:${port}` });
  await expect(second.listen()).rejects.toThrow('take another port with bind (');
  await first.close();
  const { url } = await second.listen();
  expect(await (await fetch(url)).text()).toBe('hello');
});

test('onError gets the very error of the app, and its request', async () => {
  const error = new Error('mine');
  const told: [unknown, HookRequest][] = [];
  await using server = createServer(
    () => {
      throw error;
    },
    { interface: 'wsgi', logger: keeper(), onError: (...args) => void told.push(args) },
  );
  const { url } = await server.listen();
  expect((await fetch(`${url}/a?b`, { headers: { 'x-own': 'yes' } })).status).toBe(500);
  expect(told.map(([error]) => error)).toEqual([error]);
  expect(told[0]![1]).toMatchObject({ method: 'GET', target: '/a?b', remoteAddress: '127.0.0.1' });
  expect(told[0]![1].headers).toMatchObject({ 'x-own': 'yes' });
});

test.each<[string, Parameters<typeof createServer>[0], string]>([
  [
    'that breaks PEP 3333',
    ((_env: unknown, _startResponse: unknown) => ['early']) as App,
    'did not call startResponse',
  ],
  ['whose body fails', ((_env, startResponse) => failing(startResponse)) as App, 'in its body'],
])('onError is told of an app %s', async (_, app, message) => {
  const told: unknown[] = [];
  const onError = (error: unknown) => told.push(error);
  await using server = createServer(app as App, { interface: 'wsgi', logger: keeper(), onError });
  const { url } = await server.listen();
  expect((await fetch(url)).status).toBe(500);
  expect(String(told[0])).toContain(message);
});

function failing(startResponse: Parameters<App>[1]): Iterable<string> {
  startResponse('200 OK', []);
  const next = () => {
    throw new Error('in its body');
  };
  return { [Symbol.iterator]: () => ({ next }) };
}

test('onError is told of a raw connection', async () => {
  const told: [unknown, HookRequest][] = [];
  const app: TcpApp = () => {
    throw new Error('raw');
  };
  const onError = (...args: [unknown, HookRequest]) => void told.push(args);
  await using server = createServer(app, { interface: 'tcp', logger: keeper(), onError });
  const { port } = await server.listen();
  const socket = createConnection(port, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => socket.resume().once('close', resolve));
  expect(told).toMatchObject([[{ message: 'raw' }, { method: 'TCP', remoteAddress: '127.0.0.1' }]]);
});

test('a logger of the program takes the lines, as pino does', async () => {
  const logger = keeper();
  await using server = createServer(
    () => {
      throw new Error('mine');
    },
    { interface: 'wsgi', logger },
  );
  await fetch((await server.listen()).url);
  expect(logger.lines).toMatchObject([
    ['error', { event: 'request_failed', method: 'GET', path: '/', error: 'mine' }, 'the app failed a request'],
  ]);
});

test('an onError or a logger that fails costs no request', async () => {
  const fail = () => {
    throw new Error('not this one too');
  };
  const say = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await using server = createServer(fail, {
    interface: 'wsgi',
    onError: fail,
    logger: { info: fail, warn: fail, error: fail },
    logLevel: 'fatal',
  });
  const { url } = await server.listen();
  expect([(await fetch(url)).status, (await fetch(url)).status]).toEqual([500, 500]);
  say.mockRestore();
});

test.each([
  [{ onError: 5 }, 'onError: expected a function, got 5'],
  [{ logger: {} }, 'logger: expected a logger with the methods info, warn and error, got an object'],
  [{ onExit() {} }, 'onExit: not for createServer()'],
])('%j is refused', (settings, message) => {
  expect(() => createServer(hello, settings as object)).toThrow(message);
});

test('startResponse with null for excInfo is a first call, and a second one with null is refused', async () => {
  const errors: unknown[] = [];
  await using server = createServer(
    (env, startResponse) => {
      startResponse('200 OK', [], null);
      if (env.PATH_INFO === '/twice') startResponse('201 Created', [], null);
      return ['once'];
    },
    { logger: keeper(), onError: (error) => errors.push(error) },
  );
  const { url } = await server.listen();
  expect(await (await fetch(url)).text()).toBe('once');
  expect((await fetch(`${url}/twice`)).status).toBe(500);
  expect(String(errors[0])).toContain('startResponse was called twice');
});

/** What a descriptor of this process stands for. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
