/** What is written for `node:http`, and the frameworks that stand on it. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { AppLoadError, describe, report } from '../../errors.ts';
import { isFastify, isKoa, isNest, isNodeServer, type NodeServer } from '../detect.ts';
import type { PreparedApp, RequestInterface } from '../interface.ts';
import type { NodeListener } from './node.ts';

/** A handler of `node:http`, which apps of Express and Connect are too; an app of Koa, Fastify or Nest; an `http.Server`. */
export type NodeApp =
  | ((request: IncomingMessage, response: ServerResponse) => unknown)
  | Server
  | { callback(): (request: IncomingMessage, response: ServerResponse) => unknown }
  | { routing(request: IncomingMessage, response: ServerResponse): void; ready(): PromiseLike<unknown> }
  | { getHttpAdapter(): unknown; init(): Promise<unknown> };

export const nodeInterface: RequestInterface<NodeApp> = {
  takes: '(req, res) => void, an app of Express, Koa, Fastify or the like, or an http.Server.',
  alsoCalled: ['http', 'express', 'koa', 'fastify', 'nest'],
  serves: 'requests',
  isDetected: true,
  async load() {
    const { nodeHandler } = await import('./node.ts');
    return {
      makeHandler: (app, { onWarning }) =>
        nodeHandler(isNodeServer(app) ? app : expectListener(app), onWarning, serverOf(app)),
      prepare,
    };
  },
};

async function prepare(app: unknown): Promise<PreparedApp> {
  if (typeof app !== 'object' || app === null) return { app, close: async () => {} };
  return {
    app: await makeReady(app),
    async close() {
      if (isFastify(app) || isNest(app)) await app.close();
    },
  };
}

async function makeReady(app: object): Promise<unknown> {
  try {
    if (isFastify(app)) await app.ready();
    if (!isNest(app)) return app;
    await app.init();
    const inner = app.getHttpAdapter().getInstance();
    return typeof inner === 'object' && inner !== null ? await makeReady(inner) : inner;
  } catch (error) {
    throw new AppLoadError(`app: ${describe(app)} did not get ready: ${report(error).message}`, { cause: error });
  }
}

/** Fastify makes a server for its listener, to which its plugins add theirs, such as for WebSockets. */
function serverOf(app: unknown): NodeServer | undefined {
  if (typeof app !== 'object' || app === null || !isFastify(app)) return undefined;
  const server: unknown = Reflect.get(app, 'server');
  return isNodeServer(server) ? server : undefined;
}

function expectListener(app: unknown): NodeListener {
  if (typeof app === 'function') return app as NodeListener;
  if (typeof app === 'object' && app !== null) {
    if (isKoa(app)) return app.callback() as NodeListener;
    if (isFastify(app)) return app.routing as NodeListener;
  }
  throw new AppLoadError(
    `app: the export is ${describe(app)}; expected a function (req, res) => void, an app of Express, Koa, Fastify or ` +
      'Connect, or an http.Server',
  );
}
