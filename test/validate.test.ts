/** What the validator finds in apps and in servers (PEP 3333). */

import { AssertionError } from 'node:assert';
import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { App, Body, Environ, Header, StartResponse } from '../src/app/types.ts';
import { validator } from '../src/validate.ts';

function environ(changes: Record<string, unknown> = {}): Environ {
  const env: Record<string, unknown> = {
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '',
    PATH_INFO: '/',
    QUERY_STRING: '',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
    'wsgi.version': [1, 0],
    'wsgi.url_scheme': 'http',
    'wsgi.input': Readable.from([]),
    'wsgi.errors': new Writable(),
    'wsgi.multithread': false,
    'wsgi.multiprocess': false,
    'wsgi.run_once': false,
    ...changes,
  };
  for (const [name, value] of Object.entries(changes)) if (value === undefined) delete env[name];
  return env as Environ;
}

const start: StartResponse = () => async () => {};
const plain: readonly Header[] = [['Content-Type', 'text/plain']];
const good: App = (_env, startResponse) => {
  startResponse('200 OK', plain);
  return ['ok'];
};

/** Does what a server does, to the end. */
async function serve(app: App, env = environ()): Promise<void> {
  const body = (await validator(app)(env, start)) as Body & { close?(): unknown };
  for await (const _ of body);
  await body.close?.();
}

async function complaint(app: App, env?: Environ): Promise<string> {
  const error = await serve(app, env).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(AssertionError);
  return (error as AssertionError).message;
}

test.each<[string, App]>([
  ['a list', good],
  [
    'a generator that says the status at its first piece',
    function* (_env: Environ, startResponse: StartResponse) {
      startResponse('200 OK', plain);
      yield 'ok';
    } as App,
  ],
  [
    'a stream, later',
    async (_env, startResponse) => {
      startResponse('200 OK', plain);
      return Readable.from([Buffer.from('ok')]);
    },
  ],
  [
    'an answer without content',
    (_env, startResponse) => {
      startResponse('204 No Content', []);
      return [];
    },
  ],
])('%s passes', async (_, app) => {
  await serve(app);
});

test.each<[string, Record<string, unknown>]>([
  ['no PATH_INFO', { PATH_INFO: undefined }],
  ['HTTP_CONTENT_TYPE', { HTTP_CONTENT_TYPE: 'text/plain' }],
  ['PATH_INFO begins with /', { PATH_INFO: 'x' }],
  ['SCRIPT_NAME is not /', { SCRIPT_NAME: '/' }],
  ['PATH_INFO is at least /', { PATH_INFO: '' }],
  ['SERVER_PORT in the environ is a text', { SERVER_PORT: 80 }],
  ['bytes as latin1', { HTTP_X: 'ł' }],
  ['CONTENT_LENGTH', { CONTENT_LENGTH: '-1' }],
  ['wsgi.version', { 'wsgi.version': '1.0' }],
  ['wsgi.url_scheme', { 'wsgi.url_scheme': 'ftp' }],
  ['wsgi.input', { 'wsgi.input': 'body' }],
  ['wsgi.errors', { 'wsgi.errors': undefined }],
  ['wsgi.run_once', { 'wsgi.run_once': 1 }],
])("a server's fault is told: %s", async (words, changes) => {
  expect(await complaint(good, environ(changes))).toContain(words);
});

const says =
  (...said: unknown[]): App =>
  (_env, startResponse) => {
    (startResponse as (...said: unknown[]) => unknown)(...said);
    return ['x'];
  };
const returns =
  (body: unknown): App =>
  (_env, startResponse) => {
    startResponse('200 OK', plain);
    return body as Body;
  };

test.each<[string, App]>([
  ['takes status, headers and excInfo', says('200 OK')],
  ['a status is a text', says(200, plain)],
  ['three digits', says('OK', plain)],
  ['a space and a reason', says('200', plain)],
  ['a final one', says('100 Continue', plain)],
  ['control characters', says('200 OK\r\nX: y', plain)],
  ['a list of [name, value]', says('200 OK', { 'Content-Type': 'text/plain' })],
  ['a header is [name, value]', says('200 OK', ['Content-Type'])],
  ["header's name is a token", says('200 OK', [['Content Type', 'x']])],
  ['CGI', says('200 OK', [['Status', '200']])],
  ["the server's to say", says('200 OK', [...plain, ['Connection', 'close']])],
  ["the server's to say", says('200 OK', [...plain, ['Transfer-Encoding', 'chunked']])],
  ['is a text, not 2', says('200 OK', [...plain, ['Content-Length', 2]])],
  ['control characters', says('200 OK', [...plain, ['X', 'a\nb']])],
  ['no Content-Type', says('200 OK', [])],
  ['no content', says('304 Not Modified', plain)],
  ['not called before the body', () => ['x']],
  ['not a text', returns('text')],
  ['not a byte array', returns(Buffer.from('x'))],
  ['iterable body', returns(undefined)],
  ['a text or a byte array, not 1', returns([1])],
  [
    'a second call needs excInfo',
    (_env, startResponse) => {
      startResponse('200 OK', plain);
      startResponse('200 OK', plain);
      return [];
    },
  ],
  [
    'before the first piece',
    async function* () {
      yield 'x';
    } as unknown as App,
  ],
])("an app's fault is told: %s", async (words, app) => {
  expect(await complaint(app)).toContain(words);
});

test('a server that does not close a body is found out', async () => {
  const app = validator(good);
  const body = (await app(environ(), start)) as Body & { close(): unknown };
  expect(app.unclosed).toBe(1);
  await body.close();
  expect(app.unclosed).toBe(0);
  expect(() => body.close()).toThrow('closes a body once');
});

test('a server that goes on after close, or begins again, is found out', () => {
  const app = validator(function* (_env: Environ, startResponse: StartResponse) {
    startResponse('200 OK', plain);
    yield 'ok';
  } as App);
  const body = app(environ(), start) as Iterable<string> & { close(): unknown };
  const iterator = body[Symbol.iterator]();
  expect(() => body[Symbol.iterator]()).toThrow('once');
  body.close();
  expect(() => iterator.next()).toThrow('has closed');
});

test("a body's own close is called", async () => {
  let closed = 0;
  await serve((_env, startResponse) => {
    startResponse('200 OK', plain);
    return Object.assign(['x'], { close: () => closed++ });
  });
  expect(closed).toBe(1);
});

test('the violations are listed, each once, also one that the app keeps to itself', async () => {
  const app = validator((env, startResponse) => {
    if (env.PATH_INFO === '/good') return good(env, startResponse);
    try {
      startResponse('nonsense', plain);
    } catch {
      startResponse('200 OK', plain);
    }
    return [5 as never];
  });
  const serveOnce = async (path: string) => [
    ...((await app(environ({ PATH_INFO: path }), start)) as Iterable<unknown>),
  ];
  await serveOnce('/good');
  expect(app.violations).toEqual([]);
  await expect(serveOnce('/bad')).rejects.toThrow(AssertionError);
  expect(app.violations).toHaveLength(2);
  expect(app.violations[0]).toContain("not 'nonsense'");
  expect(app.violations[1]).toBe('PEP 3333: a piece of a body is a text or a byte array, not 5');
  const own = validator(() => {
    throw new AssertionError({ message: 'of the app' });
  });
  expect(() => own(environ(), start)).toThrow('of the app');
  expect(own.violations).toEqual([]);
});
