/**
 * Loaded ahead of a suite's own code: every `http.Server` that listens is served by tsgun's engine and its node interface, in
 * this process. What an app fails with is thrown, as `node:http` lets it escape: suites expect that.
 */

import { Server } from 'node:http';
import type { Server as Listener } from 'node:net';
import { nodeHandler } from '../src/app/node/node.ts';
import { createListener } from '../src/http/accept.ts';
import { AppError, isDeparture } from '../src/http/errors.ts';
import { HttpServer } from '../src/http/server.ts';

/** Node counts no fields up to here, and has one limit for the whole head. */
const limits = { requestLineBytes: 16 * 1024, fieldCount: 2000, fieldBytes: 16 * 1024, bodyBytes: 0 };

type Done = (error?: Error | null, count?: number) => void;

interface Served {
  readonly engine: HttpServer;
  readonly listener: Listener;
}

const served = new WeakMap<Server, Served>();

Server.prototype.listen = function listen(this: Server, ...args: unknown[]): Server {
  const { keepAliveTimeout, headersTimeout, requestTimeout } = this;
  const handle = nodeHandler(this);
  const engine = new HttpServer({
    limits,
    timeouts: { headerMs: headersTimeout, bodyMs: requestTimeout, keepAliveMs: keepAliveTimeout, requestMs: 0 },
    handle,
    extras: handle.extras,
    onFailure(_exchange, error) {
      if (isDeparture(error) || error instanceof AppError) return;
      process.nextTick(() => {
        throw error;
      });
    },
  });
  const listener = createListener(engine);
  served.set(this, { engine, listener });
  Object.defineProperty(this, '_handle', { get: () => Reflect.get(listener, '_handle'), set() {}, configurable: true });
  if (typeof args.at(-1) === 'function') this.once('listening', args.pop() as Done);
  listener.on('listening', () => this.emit('listening'));
  listener.on('error', (error) => this.emit('error', error));
  if (Reflect.get(this, '_unref') === true) listener.unref();
  Reflect.apply(listener.listen, listener, args);
  return this;
};

/** What a program asks of its server is asked of what listens for it. */
const asked: Record<string, (server: Server, served: Served, done?: Done) => unknown> = {
  address: (_server, { listener }) => listener.address(),
  ref(server, { listener }) {
    listener.ref();
    return server;
  },
  unref(server, { listener }) {
    listener.unref();
    return server;
  },
  getConnections(server, { engine }, done) {
    if (done !== undefined) process.nextTick(done, null, engine.connectionCount);
    return server;
  },
  closeAllConnections: (_server, { engine }) => engine.destroy(),
  closeIdleConnections: (_server, { engine }) => engine.closeIdle(),
  close(server, { engine, listener }, done) {
    if (Object.hasOwn(server, 'closeIdleConnections')) server.closeIdleConnections();
    const closed = new Promise<Error | undefined>((resolve) => listener.close((error) => resolve(error)));
    // Idle connections end soon: on one that was just opened, a request may be on its way, which Node waits for.
    const drained = engine.drain(1);
    void Promise.all([closed, drained]).then(([error]) => {
      // It listens again: then Node does not say either that it has closed.
      if (served.get(server)?.engine !== engine) return;
      if (error === undefined) server.emit('close');
      done?.(error);
    });
    return server;
  },
};

for (const [name, ask] of Object.entries(asked)) {
  const nodesOwn = Reflect.get(Server.prototype, name) as (...args: unknown[]) => unknown;
  Reflect.set(Server.prototype, name, function (this: Server, ...args: unknown[]) {
    const its = served.get(this);
    return its === undefined ? Reflect.apply(nodesOwn, this, args) : ask(this, its, args[0] as Done | undefined);
  });
}

Object.defineProperty(Server.prototype, 'listening', {
  get(this: Server) {
    return served.get(this)?.listener.listening ?? false;
  },
  configurable: true,
});
