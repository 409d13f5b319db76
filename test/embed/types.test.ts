/** What the compiler says to an embedder: `tsc` is the judge, of every line that must be refused too. */

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { H3 } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';
import {
  type App,
  type Config,
  createEnviron,
  createServer,
  defineConfig,
  type Environ,
  type HookRequest,
  inject,
  type RunSettings,
  type run,
  type Server,
  type ServerAddress,
  type ServerSettings,
  type Stopped,
  type UserSettings,
} from 'tsgun';
import { type ValidatedApp, validator } from 'tsgun/validate';
import { expect, expectTypeOf, test } from 'vitest';

const app: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['x'];
};

test('settings have the types of a config file', () => {
  const settings: UserSettings = {
    bind: ['127.0.0.1:0', 'unix:/run/x.sock'],
    workers: 'auto',
    workerClass: 'threaded',
    timeout: 2.5,
    env: { A: 1, B: 'x' },
    umask: '022',
    user: null,
    logLevel: 'debug',
    pidfile: undefined,
  };
  // @ts-expect-error no such class
  const badClass: UserSettings = { workerClass: 'fast' };
  // @ts-expect-error no such setting
  const badName: UserSettings = { wrokers: 2 };
  // @ts-expect-error not a count
  const badCount: UserSettings = { workers: 'many' };
  expect([settings, badClass, badName, badCount]).toHaveLength(4);
});

test('defineConfig types settings and hooks', () => {
  const config = defineConfig({
    workers: 'auto',
    preFork(server, worker) {
      expectTypeOf(server.workers).toEqualTypeOf<number>();
      expectTypeOf(worker.id).toEqualTypeOf<number>();
    },
  });
  expectTypeOf(config).toEqualTypeOf<Config>();
  // @ts-expect-error no such setting
  expect(defineConfig({ wrokers: 2 })).toEqual({ wrokers: 2 });
});

test('the functions have the types that are declared for them', () => {
  expectTypeOf<ReturnType<typeof run>>().resolves.toEqualTypeOf<Stopped>();
  expectTypeOf(createServer((env) => [env.PATH_INFO])).toEqualTypeOf<Server>();
  expectTypeOf<ReturnType<Server['listen']>>().resolves.toEqualTypeOf<ServerAddress>();
  expectTypeOf(validator(app)).toEqualTypeOf<ValidatedApp>();
  // @ts-expect-error it has no workers
  expect(() => createServer(app, { workers: 2 })).toThrow('workers');
  // @ts-expect-error a raw connection's app needs its interface said
  createServer((socket: import('node:net').Socket) => socket.end());
});

test('apps of every interface are taken', () => {
  const node = (_request: IncomingMessage, response: ServerResponse) => response.end();
  const servers = [
    createServer((request, response) => response.end(request.url), { interface: 'node' }),
    createServer((request) => new Response(request.url), { interface: 'fetch' }),
    createServer((socket, { signal }) => socket.end(String(signal.aborted)), { interface: 'tcp' }),
    createServer(node),
    createServer(createHttpServer(node)),
    createServer(express()),
    createServer(new Koa()),
    createServer(fastify()),
    createServer(new Hono<{ Bindings: { own: string } }>()),
    createServer(new H3()),
    createServer({ fetch: () => new Response('x') }),
  ];
  // @ts-expect-error it speaks no interface
  const none = () => createServer({ serve() {} });
  // @ts-expect-error not a handler of node:http
  const other = () => createServer((request: Request) => request.url, { interface: 'node' });
  expect([...servers, none, other]).toHaveLength(13);
});

test('hooks have the types of what they are called with', () => {
  const config: Config = {
    workers: 2,
    async postFork(server, worker) {
      worker.log.info('worker %d of %d', worker.id, server.workers);
    },
    childExit: (_server, { reason, code }) => expectTypeOf({ reason, code }).not.toBeAny(),
    postRequest(_worker, request, { status }) {
      expectTypeOf(status).toEqualTypeOf<number | undefined>();
      expectTypeOf(request.headers.host).toEqualTypeOf<string | undefined>();
    },
  };
  // @ts-expect-error no such hook
  const badHook: Config = { postfork() {} };
  expect([config, badHook]).toHaveLength(2);
});

test('the functions for tests have their types', () => {
  expectTypeOf(inject(app, '/x')).resolves.toEqualTypeOf<Response>();
  expectTypeOf(
    inject((request) => new Response(request.url), '/x', { interface: 'fetch' }),
  ).resolves.toEqualTypeOf<Response>();
  expectTypeOf(createEnviron({ method: 'POST', url: new URL('http://a.test/'), body: 'x' })).toEqualTypeOf<Environ>();
  expectTypeOf(validator(app).violations).toEqualTypeOf<readonly string[]>();
  const settings: ServerSettings = {
    logger: console,
    onError(error, request) {
      expectTypeOf(error).toEqualTypeOf<unknown>();
      expectTypeOf(request).toEqualTypeOf<HookRequest>();
    },
  };
  const whole: RunSettings = {
    signal: new AbortController().signal,
    whenReady: ({ addresses }) => expectTypeOf(addresses).toEqualTypeOf<readonly ServerAddress[]>(),
  };
  // @ts-expect-error a logger has info, warn and error
  const silent: ServerSettings = { logger: { info() {} } };
  // @ts-expect-error createServer is closed, not aborted
  const aborted: ServerSettings = { signal: new AbortController().signal };
  expect([settings, whole, silent, aborted]).toHaveLength(4);
});
