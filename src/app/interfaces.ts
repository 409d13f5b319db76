/** Which interface an export speaks, and the handler that serves it. A new interface is one file and one line here. */

import { AppLoadError, describe, report } from '../errors.ts';
import { detect, isFastify, isKoa, isNest, isNodeServer } from './detect.ts';
import type { Fetch } from './fetch/fetch.ts';
import type { NodeListener } from './node/node.ts';
import type { App } from './types.ts';
import type { EnvironOptions } from './wsgi/environ.ts';
import { type Handler, wsgiHandler } from './wsgi/wsgi.ts';

export type InterfaceName = 'wsgi' | 'node' | 'fetch' | 'tcp';
type MakeHandler = (app: unknown, options: EnvironOptions) => Handler;

/** A process that serves one app in its own loads only what that needs. */
const loaders: Record<InterfaceName, () => Promise<MakeHandler>> = {
  wsgi: async () => (app, options) => wsgiHandler(expectApp(app), options),
  node: async () => {
    const { nodeHandler } = await import('./node/node.ts');
    return (app) => nodeHandler(isNodeServer(app) ? app : expectListener(app));
  },
  fetch: async () => {
    const { fetchHandler } = await import('./fetch/fetch.ts');
    return (app) => fetchHandler(expectFetch(app));
  },
  // A raw connection brings no requests: `worker/tcp.ts` serves it.
  tcp: async () => {
    throw new AppLoadError('interface: tcp does not run in the threaded class; take --worker-class async or sync');
  },
};
const loaded = new Map<InterfaceName, MakeHandler>();

/**
 * Loads what may be needed for an app that is yet to be loaded. After that this process may have no right to read the files,
 * or they may be gone.
 */
export async function loadInterfaces(asked: InterfaceName | 'auto'): Promise<void> {
  const names = asked === 'auto' ? (['wsgi', 'node', 'fetch'] as const) : asked === 'tcp' ? [] : [asked];
  for (const name of names) await loadInterface(name);
}

async function loadInterface(name: InterfaceName): Promise<void> {
  if (!loaded.has(name)) loaded.set(name, await loaders[name]());
}

/**
 * The handler of an app that went through `prepareApp`.
 * @throws AppLoadError when the export is not what the interface needs
 */
export function makeHandler(app: unknown, asked: InterfaceName | 'auto', options: EnvironOptions): Handler {
  const name = findInterface(app, asked);
  const make = loaded.get(name);
  if (make === undefined) throw new Error(`interface ${name}: prepareApp comes before makeHandler`);
  return make(app, options);
}

/** @throws AppLoadError where it cannot be told, and was not said */
export function findInterface(app: unknown, asked: InterfaceName | 'auto'): InterfaceName {
  return asked === 'auto' ? detect(app) : asked;
}

export interface PreparedApp {
  /** What is to be served: the export, or what stands behind it. */
  readonly app: unknown;
  /** Lets a framework do what it does after its last request, such as closing what plugins have opened. */
  close(): Promise<void>;
}

/**
 * Loads what serves an export, and lets a framework finish what it does before its first request.
 * @throws AppLoadError with the framework's error
 */
export async function prepareApp(app: unknown, asked: InterfaceName | 'auto'): Promise<PreparedApp> {
  const name = findInterface(app, asked);
  await loadInterface(name);
  if (name !== 'node' || typeof app !== 'object' || app === null) return { app, close: async () => {} };
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

function expectApp(app: unknown): App {
  if (typeof app === 'function') return app as App;
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function (env, startResponse) => body`);
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

function expectFetch(app: unknown): Fetch | { fetch: Fetch } {
  if (typeof app === 'function' && !('fetch' in app)) return app as Fetch;
  const fetch = app === undefined || app === null ? undefined : Reflect.get(Object(app), 'fetch');
  if (typeof fetch === 'function') return app as { fetch: Fetch };
  throw new AppLoadError(`app: the export is ${describe(app)}; expected { fetch(request) } or (request) => Response`);
}
