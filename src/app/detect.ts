/**
 * Finds the interface of an export: of a framework's object by its members, of a function by the names of its parameters. In
 * doubt the user has to name it.
 */

import type { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { AppLoadError, describe } from '../errors.ts';

/** An `http.Server`, or a server like it, in whose name requests are served. It never listens itself. */
export type NodeServer = EventEmitter;

export type Detected = 'wsgi' | 'node' | 'fetch';

const remedy = 'say which interface it speaks: --interface wsgi, node or fetch';

/** @throws AppLoadError if the interface cannot be recognised */
export function detect(app: unknown): Detected {
  if (isNodeServer(app)) return 'node';
  if (typeof app === 'object' && app !== null && isHttp2Server(app)) return 'node';
  if (typeof app === 'object' && app !== null) return detectObject(app);
  if (typeof app === 'function') return detectFunction(app);
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function, an app of a framework or a server`);
}

function detectObject(app: object): Detected {
  if (isKoa(app) || isFastify(app) || isNest(app)) return 'node';
  if (has(app, 'fetch')) return 'fetch';
  if (isPolka(app) || innerServer(app) !== undefined) return 'node';
  throw new AppLoadError(
    `app: the export is ${describe(app)}, which has no fetch(request) and is no app of a framework that is known here; ` +
      'export its (req, res) handler, or its http.Server',
  );
}

/** An `http.Server` or `https.Server`. Recognised by its members: `instanceof` would load node:http for every app. */
export function isNodeServer(app: unknown): app is NodeServer {
  if (typeof app !== 'object' || app === null) return false;
  return has(app, 'emit') && has(app, 'listen') && 'headersTimeout' in app && 'requestTimeout' in app;
}

/** That of node:http2, with TLS or without. */
export function isHttp2Server(app: object): app is Server {
  return 'updateSettings' in app;
}

/** Koa: `callback()` makes its handler. */
export function isKoa(app: object): app is { callback(): unknown } {
  return has(app, 'callback') && has(app, 'use');
}

interface Closes {
  close(): PromiseLike<unknown>;
}

/** Fastify: `routing` is its handler, once `ready()` has resolved. */
export function isFastify(app: object): app is { ready(): PromiseLike<unknown>; routing: unknown } & Closes {
  return has(app, 'routing') && has(app, 'ready') && has(app, 'close');
}

/** Nest: stands on one of the others. */
export function isNest(app: object): app is {
  init(): Promise<unknown>;
  getHttpAdapter(): { getInstance(): unknown };
  getHttpServer?(): unknown;
} & Closes {
  return has(app, 'getHttpAdapter') && has(app, 'init') && has(app, 'close');
}

/** Polka: `handler` takes what its server receives. */
export function isPolka(app: object): app is { handler(request: unknown, response: unknown): unknown } {
  return has(app, 'handler') && has(app, 'use') && has(app, 'parse');
}

interface Initializes {
  initialize(): PromiseLike<unknown>;
  stop(): PromiseLike<unknown>;
}

/** Hapi: it has its server from the beginning; that listens once `start()` is called. */
export function isHapi(app: object): app is Initializes {
  return has(app, 'initialize') && has(app, 'stop') && isNodeServer(Reflect.get(app, 'listener'));
}

/** The `http.Server` that a framework has from the beginning, with its listener for requests: Hapi's, Restify's. */
export function innerServer(app: object): NodeServer | undefined {
  if (isHapi(app)) return Reflect.get(app, 'listener') as NodeServer;
  if (isFastify(app) || !has(app, 'listen') || !has(app, 'use')) return undefined;
  const server: unknown = Reflect.get(app, 'server');
  return isNodeServer(server) && server.listenerCount('request') > 0 ? server : undefined;
}

function has(app: object, name: string): boolean {
  return typeof Reflect.get(app, name) === 'function';
}

function detectFunction(app: object & { length?: number }): Detected {
  // Express and Connect, whose apps are functions with methods.
  if (has(app, 'handle') && has(app, 'use')) return 'node';
  if (has(app, 'fetch')) return 'fetch';
  // A wrapper around an app may name the interface of the result.
  if (Reflect.get(app, Symbol.for('tsgun.interface')) === 'wsgi') return 'wsgi';
  const source = Function.prototype.toString.call(app);
  if (/^class\b/.test(source))
    throw new AppLoadError(`app: the export is ${describe(app)}, a class; export an instance`);
  const names = parameterNames(source);
  const detected = names === undefined ? undefined : byNames(names, source);
  if (detected !== undefined) return detected;
  const list = names === undefined ? `${app.length} parameters` : `the parameters (${names.join(', ')})`;
  throw new AppLoadError(`app: the export is ${describe(app)} with ${list}, which could be of any kind; ${remedy}`);
}

const environ = /^_*env(iron(ment)?)?$/i;
const startResponse = /^_*(start_?response|start)$/i;
const request = /^_*(req|request|incoming|event|r)$/i;
const response = /^_*(res|resp|response|reply|outgoing)$/i;
const context = /^_*(env|info|server|ctx|context|bindings|connInfo)$/i;

function byNames(names: readonly string[], source: string): Detected | undefined {
  const [first = '', second] = names;
  if (first.startsWith('...') || second?.startsWith('...')) return undefined;
  if (second === undefined) return request.test(first) || /\bResponse\b/.test(source) ? 'fetch' : undefined;
  if (startResponse.test(second)) return 'wsgi';
  if (response.test(second)) return 'node';
  if (request.test(first) && context.test(second)) return 'fetch';
  const use = useOf(second, source);
  // The parameter after a request is used as an object; the one after an environ is called.
  if (use === 'called' && !request.test(first)) return 'wsgi';
  if (use === 'object' && !environ.test(first)) return 'node';
  return environ.test(first) ? 'wsgi' : undefined;
}

/** How the function uses a parameter, as far as its text shows. */
function useOf(name: string, source: string): 'called' | 'object' | undefined {
  if (!/^[\w$]+$/.test(name)) return undefined;
  const escaped = name.replaceAll('$', '\\$');
  const body = source.slice(source.indexOf(name) + name.length);
  if (
    new RegExp(`(?<![\\w$.])${escaped}\\s*\\.\\s*(?:end|write|writeHead|setHeader|statusCode|send|json)\\b`).test(body)
  )
    return 'object';
  return new RegExp(`(?<![\\w$.])${escaped}\\s*\\(`).test(body) ? 'called' : undefined;
}

/** Undefined for functions without source: native or bound ones. Destructuring patterns are returned as they are. */
function parameterNames(source: string): string[] | undefined {
  if (/\{\s*\[native code\]\s*\}$/.test(source)) return undefined;
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(source);
  if (single !== null) return [single[1]!];
  const open = source.indexOf('(');
  if (open === -1) return undefined;
  const names: string[] = [];
  let depth = 0;
  let name = '';
  for (let at = open; at < source.length; at++) {
    const char = source[at]!;
    if (depth === 1 && (char === ',' || char === ')')) {
      if (name.trim() !== '') names.push(plainName(name));
      name = '';
      if (char === ')') return names;
      continue;
    }
    if ('([{'.includes(char)) depth++;
    if (')]}'.includes(char)) depth--;
    if (depth > 1 || at > open) name += char;
  }
  return undefined;
}

/** A parameter without comments and default value. */
function plainName(text: string): string {
  // A comment that does not end matches to the end of the text. Otherwise the search would begin again at each comment, and
  // take the square of the time.
  const bare = text.replace(/\/\*[\s\S]*?(?:\*\/|(?![\s\S]))|\/\/.*$/gm, '').trim();
  return /^[\w$.]+/.exec(bare)?.[0] ?? bare;
}
