/** Each example on the server that its framework comes with, in this process: what tsgun's answers are compared to. */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type Koa from 'koa';
import { toNodeHandler } from 'srvx/node';

type Fetch = (request: Request) => Response | Promise<Response>;

/** In a list: itty's router has every method, `then` too, and would be waited for. */
const load = async (name: string): Promise<[app: unknown]> => [(await import(`../../examples/${name}/app.ts`)).default];
const onNode = async (name: string) => createServer((await load(name))[0] as RequestListener);
const onSrvx = async (name: string) => {
  const [app] = await load(name);
  const fetch =
    typeof app === 'function' ? (app as Fetch) : (request: Request) => (app as { fetch: Fetch }).fetch(request);
  return createServer(toNodeHandler(fetch) as RequestListener);
};

const usual: Record<string, (name: string) => Promise<Server>> = {
  plain: onNode,
  'http-server': async (name) => (await load(name))[0] as Server,
  express: onNode,
  express4: onNode,
  connect: onNode,
  koa: async (name) => createServer(((await load(name))[0] as Koa).callback()),
  fastify: async (name) => {
    const app = (await load(name))[0] as FastifyInstance;
    await app.ready();
    return app.server;
  },
  nest: async (name) => {
    const app = (await load(name))[0] as INestApplication;
    await app.init();
    return app.getHttpServer() as Server;
  },
  fetch: onSrvx,
  hono: async (name) => {
    const { fetch } = (await load(name))[0] as { fetch: Fetch };
    return createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  },
  h3: onSrvx,
  itty: onSrvx,
};

export const frameworks = Object.keys(usual);

/** The interface that each is to be taken for. */
export const interfaceOf = (name: string) => (['fetch', 'hono', 'h3', 'itty'].includes(name) ? 'fetch' : 'node');

/** What goes through to the process there: an error of a handler without a framework. */
export const lacksErrorPage = (name: string) => ['plain', 'http-server', 'fetch'].includes(name);

export interface Usual extends AsyncDisposable {
  readonly url: string;
}

export async function openUsual(name: string): Promise<Usual> {
  const server = await usual[name]!(name);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}
