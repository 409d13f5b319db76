/**
 * The `http.Server` in whose name requests are served: the app's own, or one that stands in for it. Neither listens. It is
 * what tracers patch, and what they are told of on Node's diagnostics channels.
 */

import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { isNodeServer, type NodeServer } from '../detect.ts';
import type { Fixed } from './own-limits.ts';
import { own, type Request } from './request.ts';
import type { Response } from './response.ts';
import { type Honoured, readOptions, warningsOf } from './server-options.ts';
import type { ClientSocket } from './socket.ts';

const started = channel('http.server.request.start');
const finished = channel('http.server.response.finish');
const require = createRequire(import.meta.url);

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface Front extends Honoured {
  readonly server: NodeServer;
  /** Whether the app listens for connections. */
  readonly hearsConnections: boolean;
  /** A client has connected; over TLS, or a proxy, this shows with its first request. */
  connect(socket: ClientSocket): void;
  /** @returns what the listener has returned, as far as that can be known */
  call(request: Request, response: Response, socket: ClientSocket): unknown;
}

export interface FrontOptions {
  /** Takes what an app has set on its server and has no effect. */
  readonly warn?: ((warning: string) => void) | undefined;
  /** The server that a framework has made for its listener; listeners for upgrades are on it. */
  readonly framework?: NodeServer | undefined;
  /** Whether connections are another thread's. */
  readonly isInThread?: boolean;
  /** What the app cannot set. */
  readonly fixed?: Fixed | undefined;
}

export function frontOf(
  app: NodeListener | NodeServer,
  { warn, framework, isInThread = false, fixed = {} }: FrontOptions = {},
): Front {
  const { Server } = nodeHttp();
  const usual = new Server();
  const { server, listener } = isNodeServer(app)
    ? { server: app, listener: undefined }
    : framework === undefined
      ? standIn(app, usual)
      : { server: framework, listener: app };
  if (server === app) for (const warning of warningsOf(server, usual, isInThread)) warn?.(warning);
  const [nodesOwn] = new Server().listeners('connection');
  return {
    server,
    ...readOptions(server, usual, fixed, server === app ? warn : undefined),
    get hearsConnections() {
      return server instanceof Server && server.listenerCount('connection') > 1;
    },
    connect(socket) {
      if (!this.hearsConnections) return;
      // Node's own would read requests from it.
      for (const each of server.rawListeners('connection')) if (each !== nodesOwn) each.call(server, socket);
    },
    call(request, response, socket) {
      if (started.hasSubscribers) started.publish({ request, response, socket, server });
      // Ahead of the app's own listeners, as Node's is.
      if (finished.hasSubscribers) response.on('finish', () => finished.publish({ request, response, socket, server }));
      // A tracer has put its own in its place, or does so just now: it must see each request.
      const isPatched = server.emit !== EventEmitter.prototype.emit;
      if (listener !== undefined && !isPatched) return listener(request, response);
      return emitRequest(server, isPatched, request, response);
    },
  };
}

/** Many tracers patch node:http when it is first required. So it is required here, even for an app that never does so. */
function nodeHttp(): { Server: new () => Server } {
  return require('node:http') as { Server: new () => Server };
}

/** For an app that is no server itself. */
function standIn(listener: NodeListener, server: NodeServer): { server: NodeServer; listener: NodeListener } {
  server.on('request', (request, response) => {
    // An event's listener has no other way to say when it is done, or that it failed.
    (response as Response)[own].result = listener(request, response);
  });
  return { server, listener };
}

function emitRequest(server: NodeServer, isPatched: boolean, request: Request, response: Response): unknown {
  const isExpecting = request[own].exchange.isAwaitingContinue;
  if (isExpecting && server.emit('checkContinue', request, response)) return undefined;
  if (request[own].exchange.head.expectsOther && server.emit('checkExpectation', request, response)) return undefined;
  // The raw listeners: one added by `once` removes itself when called.
  const [only, ...others] = server.rawListeners('request');
  if (only === undefined) throw new Error('the http.Server has no listener for requests');
  // Directly where that makes no difference: an event's listener cannot say that it failed.
  if (!isPatched && others.length === 0) return only.call(server, request, response);
  server.emit('request', request, response);
  return response[own].result;
}
