/** `inject` and `createEnviron`: an app asked without a socket. */

import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import express from 'express';
import { type App, ConfigError, createEnviron, createServer, inject, type LogTarget, type StartResponse } from 'tsgun';
import { validator } from 'tsgun/validate';
import { describe, expect, test } from 'vitest';

const quiet: LogTarget = { info() {}, warn() {}, error() {} };

const echo: App = async (env, startResponse) => {
  startResponse('201 Created', [
    ['Content-Type', 'text/plain'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  return [`${env.REQUEST_METHOD} ${env.RAW_URI} ${env.HTTP_HOST} ${env.CONTENT_TYPE} `, await text(env['wsgi.input'])];
};

describe('inject', () => {
  test('a path is a GET request', async () => {
    const response = await inject(echo, '/a/../b?c=%20d');
    expect([response.status, response.statusText]).toEqual([201, 'Created']);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('GET /a/../b?c=%20d localhost undefined ');
  });

  test.each<[string, Parameters<typeof inject>[1], string]>([
    ['a URL', new URL('http://shop.test/x?y'), 'GET /x?y shop.test undefined '],
    [
      'a Request',
      new Request('http://shop.test/x', { method: 'PUT', body: 'sent' }),
      'PUT /x shop.test text/plain;charset=UTF-8 sent',
    ],
    ['its parts', { method: 'DELETE', url: '/x' }, 'DELETE /x localhost undefined '],
    [
      'a form',
      { url: '/x', body: new URLSearchParams({ a: 'ü' }) },
      'POST /x localhost application/x-www-form-urlencoded;charset=UTF-8 a=%C3%BC',
    ],
    ['bytes', { url: '/x', headers: { 'content-type': 'a/b' }, body: Buffer.from('ü') }, 'POST /x localhost a/b ü'],
  ])('%s is taken', async (_, request, expected) => {
    expect(await (await inject(validator(echo), request)).text()).toBe(expected);
  });

  test('answers of every length come whole: none, known, in pieces, and larger than a window', async () => {
    const large = 'x'.repeat(3_000_000);
    const app: App = (env, startResponse) => {
      startResponse(env.PATH_INFO === '/none' ? '204 No Content' : '200 OK', []);
      if (env.PATH_INFO === '/pieces') return pieces(['a', 'ü', '', large]);
      return env.PATH_INFO === '/none' ? [] : [large];
    };
    expect(await (await inject(app, '/none')).text()).toBe('');
    expect(await (await inject(app, '/whole')).text()).toBe(large);
    expect(await (await inject(app, '/pieces')).text()).toBe(`aü${large}`);
    const head = await inject(app, { method: 'HEAD', url: '/whole' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['3000000', '']);
  });

  test('an answer is there with its head, and comes as it is made; who reads no more has left', async () => {
    let isClosed = false;
    const app: App = (_env, startResponse) => {
      startResponse('200 OK', []);
      return Object.assign(endless(), { close: () => (isClosed = true) });
    };
    const { body } = await inject(app, '/');
    const reader = body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toContain('tick');
    await reader.cancel();
    while (!isClosed) await setTimeout(5);
  });

  test('fetch and node apps answer too, and globals stay', async () => {
    const { Request: before } = globalThis;
    const app = { fetch: async (request: Request) => Response.json({ sent: await request.json() }) };
    const response = await inject(app, { url: '/', body: '{"a":1}' });
    expect(await response.json()).toEqual({ sent: { a: 1 } });
    expect(globalThis.Request).toBe(before);
    const router = express().get('/me', (request, response) => void response.send(`${request.ip} ${request.hostname}`));
    expect(await (await inject(router, '/me')).text()).toBe('127.0.0.1 localhost');
  });

  test('an app that throws answers 500, and onError has the error', async () => {
    const error = new Error('mine');
    const errors: unknown[] = [];
    const app: App = (_env, _startResponse) => {
      throw error;
    };
    const response = await inject(app, '/', { logger: quiet, onError: (error) => errors.push(error) });
    expect([response.status, errors]).toEqual([500, [error]]);
  });

  test('an answer that is cut off is an error', async () => {
    const app: App = (_env, startResponse) => {
      startResponse('200 OK', [['Content-Length', '10']]);
      return pieces(['short']);
    };
    const response = await inject(app, '/', { logger: quiet });
    await expect(response.text()).rejects.toThrow('the answer was cut off');
  });

  test('the signal of a request ends it, and the app is told', async () => {
    const aborter = new AbortController();
    const app: App = (env, _startResponse) =>
      new Promise((_resolve, reject) => {
        env['tsgun.signal'].addEventListener('abort', () => reject(env['tsgun.signal'].reason));
        setTimeout(0).then(() => aborter.abort(new Error('enough')));
      });
    const request = new Request('http://a.test/', { signal: aborter.signal });
    await expect(inject(app, request, { logger: quiet })).rejects.toThrow('enough');
  });

  test('what is no request, and an interface without requests, is refused', async () => {
    await expect(inject(echo, 5 as never)).rejects.toThrow('request: expected a path, a Request or');
    await expect(inject(echo, 'ftp://x')).rejects.toThrow('request: expected a path or an http URL, got "ftp://x"');
    await expect(inject((() => {}) as never, '/', { interface: 'tcp' as never })).rejects.toBeInstanceOf(ConfigError);
  });

  test('it answers as a server does', async () => {
    await using server = createServer(echo);
    const { url } = await server.listen();
    const served = await fetch(`${url}/x`, { method: 'POST', body: 'y' });
    const injected = await inject(echo, { method: 'POST', url: `${url}/x`, body: 'y' });
    const compare = ({ status, headers }: Response) => [
      status,
      [...headers].filter(([name]) => !/date|connection|keep-alive|transfer/.test(name)),
    ];
    expect(compare(injected)).toEqual(compare(served));
  });
});

describe('createEnviron', () => {
  test('makes an environ that PEP 3333 allows, for an app called by hand', async () => {
    const said: unknown[] = [];
    const start: StartResponse = (...args) => {
      said.push(...args);
      return async () => {};
    };
    const env = createEnviron({ method: 'POST', url: '/caf%C3%A9?x', headers: { 'X-Own': 'a' }, body: 'sent' });
    expect(env).toMatchObject({ PATH_INFO: '/cafÃ©', QUERY_STRING: 'x', HTTP_X_OWN: 'a', CONTENT_LENGTH: '4' });
    const body = await validator(echo)(env, start);
    expect(said[0]).toBe('201 Created');
    expect([...(body as Iterable<string>)].join('')).toBe('POST /caf%C3%A9?x localhost text/plain;charset=UTF-8 sent');
  });

  test('what the test adds is there besides, or instead', () => {
    const env = createEnviron('/x', { REMOTE_ADDR: '10.0.0.1', 'my.user': 5 });
    expect(env).toMatchObject({ REQUEST_METHOD: 'GET', RAW_URI: '/x', REMOTE_ADDR: '10.0.0.1', 'my.user': 5 });
  });

  test('a body without a known length is read to its end', async () => {
    const env = createEnviron({ url: '/', body: new Blob(['one', 'two']).stream() });
    expect([env.CONTENT_LENGTH, await text(env['wsgi.input'])]).toEqual([undefined, 'onetwo']);
  });
});

async function* pieces(list: readonly string[]): AsyncGenerator<string> {
  yield* list;
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield 'tick';
    await setTimeout(1);
  }
}
