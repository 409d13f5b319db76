/** The interface for code written for `node:http`, and frameworks built on it. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { AppLoadError, describe, report } from '../../errors.ts';
import {
  innerServer,
  isFastify,
  isHapi,
  isHttp2Server,
  isKoa,
  isNest,
  isNodeServer,
  isPolka,
  type NodeServer,
} from '../detect.ts';
import type { PreparedApp, RequestInterface } from '../interface.ts';
import { listenerOf } from './http2-stream.ts';
import type { NodeListener } from './node.ts';

/** `http.ServerResponse`, with our additions. */
export interface NodeResponse extends ServerResponse {
  /**
   * Lets work continue after the answer: a worker that leaves waits for it, up to `--graceful-timeout`. Its failure is logged.
   */
  waitUntil(work: PromiseLike<unknown>): void;
}

/**
 * A handler of `node:http`, which apps of Express and Connect are too; an app of Koa, Fastify, Nest, Hapi, Restify or Polka;
 * an `http.Server`.
 */
export type NodeApp =
  | ((request: IncomingMessage, response: NodeResponse) => unknown)
  | Server
  | { callback(): (request: IncomingMessage, response: ServerResponse) => unknown }
  | { routing(request: IncomingMessage, response: ServerResponse): void; ready(): PromiseLike<unknown> }
  | { getHttpAdapter(): unknown; init(): Promise<unknown> }
  | { readonly listener: Server; initialize(): Promise<unknown>; stop(options?: never): Promise<unknown> }
  | { readonly server: Server; use(...handlers: never[]): unknown; listen(...args: never[]): unknown }
  | { handler(request: never, response: never, ...rest: never[]): unknown; use(...handlers: never[]): unknown };

export const nodeInterface: RequestInterface<NodeApp> = {
  takes: '(req, res) => void, an app of Express, Koa, Fastify or the like, or an http.Server.',
  alsoCalled: ['http', 'express', 'koa', 'fastify', 'nest', 'hapi', 'restify', 'polka'],
  serves: 'requests',
  isDetected: true,
  async load() {
    const [{ nodeHandler }, { warnOfSeveral }] = await Promise.all([import('./node.ts'), import('./several.ts')]);
    return {
      makeHandler(app, options) {
        const { onWarning, multithread, fixed } = options;
        const said = { warn: onWarning, isInThread: multithread, fixed };
        // Settings that a framework makes on its own server get no warnings: the user cannot change them.
        if (isNodeServer(app) && !hearsStreamsOnly(app))
          return warnOfSeveral(
            nodeHandler(app, ofFrameworks.has(app) ? { ...said, warn: undefined } : said),
            app,
            options,
          );
        const inner = typeof app === 'object' && app !== null ? innerServer(app) : undefined;
        if (inner !== undefined) return warnOfSeveral(nodeHandler(inner, { ...said, warn: undefined }), inner, options);
        const server = serverOf(app);
        return warnOfSeveral(nodeHandler(expectListener(app), { ...said, framework: server }), server, options);
      },
      prepare,
    };
  },
};

function hearsStreamsOnly(server: NodeServer): boolean {
  return isHttp2Server(server) && server.listenerCount('request') === 0;
}

const ofFrameworks = new WeakSet<object>();

async function prepare(app: unknown): Promise<PreparedApp> {
  if (typeof app !== 'object' || app === null) return { app, close: async () => {} };
  return {
    app: await makeReady(app),
    async close() {
      if (isFastify(app) || isNest(app)) await app.close();
      if (isHapi(app)) await app.stop();
    },
  };
}

async function makeReady(app: object): Promise<unknown> {
  try {
    if (isFastify(app)) await app.ready();
    if (isHapi(app)) await app.initialize();
    if (!isNest(app)) return app;
    await app.init();
    const server = app.getHttpServer?.();
    if (isNodeServer(server) && server.listenerCount('request') > 0) {
      // The gateways of a framework listen for upgrades and requests there.
      ofFrameworks.add(server);
      return server;
    }
    const inner = app.getHttpAdapter().getInstance();
    return typeof inner === 'object' && inner !== null ? await makeReady(inner) : inner;
  } catch (error) {
    throw new AppLoadError(`app: ${describe(app)} did not get ready: ${report(error).message}`, { cause: error });
  }
}

/** Fastify makes a server for its handler, and its plugins add listeners to it, such as for WebSockets. */
function serverOf(app: unknown): NodeServer | undefined {
  if (typeof app !== 'object' || app === null || !isFastify(app)) return undefined;
  const server: unknown = Reflect.get(app, 'server');
  return isNodeServer(server) ? server : undefined;
}

function expectListener(app: unknown): NodeListener {
  if (typeof app === 'function') return app as NodeListener;
  if (typeof app === 'object' && app !== null) {
    if (isHttp2Server(app)) return listenerOf(app);
    if (isKoa(app)) return app.callback() as NodeListener;
    if (isFastify(app)) return app.routing as NodeListener;
    if (isPolka(app)) return (request, response) => app.handler(request, response);
  }
  throw new AppLoadError(
    `app: the export is ${describe(app)}; expected a function (req, res) => void, an app of Express, Koa, Fastify or ` +
      'the like, or a server of node:http or node:http2',
  );
}
