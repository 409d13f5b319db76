/** Which of the servers that listen is made for an export that is served. */

import { createServer } from 'node:http';
import net from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import { isServerOf } from '../../src/app/server-files/exported.ts';

const listener = () => {};
const tcp = () => {};
const own = createServer(listener);
const hono = new Hono();
const koa = new Koa();
const framework = fastify();
const expressApp = express();

describe('a server is the one of the export', () => {
  it.each([
    ['that it is itself', own, own],
    ['that listens to its requests', listener, own],
    ['of Express', expressApp, createServer(expressApp)],
    ['of Koa', koa, createServer(koa.callback())],
    ['of Hono', hono, createAdaptorServer({ fetch: hono.fetch }) as net.Server],
    ['of Fastify', framework, framework.server],
    ['of Fastify for the other address of localhost', framework, secondOf(framework.server)],
    ['that a framework keeps', { listener: own, fetch: listener }, own],
    ['that Nest hands out', { getHttpServer: () => own }, own],
    ['that takes raw connections', tcp, net.createServer(tcp)],
  ])('%s', (_, app, server) => {
    expect(isServerOf(app, server)).toBe(true);
  });

  const metrics = createServer(() => {});
  it.each([
    ['a function', listener],
    ['Express', expressApp],
    ['Koa', koa],
    ['Hono', hono],
    ['Fastify', framework],
    ['nothing', undefined],
    [
      'what fails to tell',
      {
        get server() {
          throw new Error('not started');
        },
        getHttpServer() {
          throw new Error('not started');
        },
      },
    ],
  ])('and no other: %s', (_, app) => {
    expect(isServerOf(app, metrics)).toBe(false);
    expect(isServerOf(app, net.createServer())).toBe(false);
  });
});

function secondOf(server: net.Server): net.Server {
  return createServer(server.listeners('request')[0] as () => void);
}
