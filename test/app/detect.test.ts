import { createServer } from 'node:http';
import hapi from '@hapi/hapi';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { H3 } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';
import polka from 'polka';
import { describe, expect, it } from 'vitest';
import { detect } from '../../src/app/detect.ts';
import { findInterface, makeHandler, prepareApp } from '../../src/app/interfaces.ts';

/** What Restify's server has, as far as it is looked at: an http.Server within, and methods. */
const restify = () => ({
  server: createServer((_req, res) => res.end('restify')),
  use() {},
  listen() {},
});

/** A function of this text, as apps come from files and minifiers. */
const make = (source: string) => new Function(`return (${source})`)();

describe('an app of a framework', () => {
  it.each<[string, unknown, string]>([
    ['Express 5', express(), 'node'],
    ['Express 4', express4(), 'node'],
    ['Connect', connect(), 'node'],
    ['Koa', new Koa(), 'node'],
    ['Fastify', fastify(), 'node'],
    ['Polka', polka(), 'node'],
    ['Hapi', hapi.server(), 'node'],
    ['Restify', restify(), 'node'],
    ['an http.Server', createServer(), 'node'],
    ['Hono', new Hono(), 'fetch'],
    ['h3', new H3(), 'fetch'],
    ['an object with fetch', { fetch: () => new Response() }, 'fetch'],
  ])('of %s is known', (_name, app, expected) => {
    expect(detect(app)).toBe(expected);
  });
});

describe('a function', () => {
  it.each([
    ['(env, startResponse) => []', 'wsgi'],
    ['async (_env, start) => []', 'wsgi'],
    ['function (environ, start_response) {}', 'wsgi'],
    ['function* app({ PATH_INFO }, startResponse) {}', 'wsgi'],
    ['(e, t) => { t("200 OK", []); return [] }', 'wsgi'],
    ['(env, _) => []', 'wsgi'],
    ['(req, res) => res.end()', 'node'],
    ['async function handler(request, response) {}', 'node'],
    ['(_req, res, next) => next()', 'node'],
    ['(req /* the (request) */, res = undefined) => {}', 'node'],
    ['(e, t) => { t.writeHead(200); t.end() }', 'node'],
    ['(e, t) => t.end("x")', 'node'],
    ['(request) => new Response()', 'fetch'],
    ['async req => new Response()', 'fetch'],
    ['async function ({ url }) { return new Response(url) }', 'fetch'],
    ['() => new Response("x")', 'fetch'],
    ['(request, env) => new Response()', 'fetch'],
    ['(request, info) => new Response()', 'fetch'],
  ])('%s is known', (source, expected) => {
    expect(detect(make(source))).toBe(expected);
  });

  it.each([
    ['(a, b) => undefined'],
    ['(...args) => undefined'],
    ['() => undefined'],
    ['(x) => undefined'],
    ['((env, startResponse) => []).bind(null)'],
  ])('%s could be of any kind: the error names the flag', (source) => {
    expect(() => detect(make(source))).toThrow(/--interface wsgi, node or fetch/);
  });

  it('that is a class is refused', () => {
    expect(() => detect(class App {})).toThrow(/App, a class; export an instance/);
  });
});

describe('what is no app', () => {
  it.each([[undefined], [null], [3], ['text'], [{}], [[]]])('%j is refused', (app) => {
    expect(() => detect(app)).toThrow(/app: the export is /);
  });
});

describe('an interface that was asked for', () => {
  it('is taken without a guess', () => {
    expect(findInterface(make('(a, b) => undefined'), 'node')).toBe('node');
  });

  it.each([
    ['wsgi', {}, /expected a function \(env, startResponse\)/],
    ['node', { fetch() {} }, /expected a function \(req, res\)/],
    ['fetch', {}, /expected \{ fetch\(request\) \}/],
  ] as const)('%s refuses an export that cannot be one', async (name, app, expected) => {
    await prepareApp(app, name);
    const options = { multithread: false, multiprocess: false, onErrorLine: () => {} };
    expect(() => makeHandler(app, name, options)).toThrow(expected);
  });
});

describe('before its first request', () => {
  it('Fastify has loaded its plugins', async () => {
    const app = fastify();
    let isLoaded = false;
    app.register(async () => {
      isLoaded = true;
    });
    await prepareApp(app, 'auto');
    expect(isLoaded).toBe(true);
  });

  it('a plugin that fails is the error', async () => {
    const app = fastify();
    app.register(async () => {
      throw new Error('no database');
    });
    await expect(prepareApp(app, 'auto')).rejects.toThrow(/did not get ready: no database/);
  });

  it("Nest's app is initialised, and what it stands on is served", async () => {
    const inner = express();
    let isInitialised = false;
    const nest = {
      init: async () => {
        isInitialised = true;
      },
      getHttpAdapter: () => ({ getInstance: () => inner }),
      close: async () => {
        isInitialised = false;
      },
    };
    const prepared = await prepareApp(nest, 'auto');
    expect(prepared.app).toBe(inner);
    expect(isInitialised).toBe(true);
    await prepared.close();
    expect(isInitialised).toBe(false);
  });
});
