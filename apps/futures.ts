/**
 * Requests that wait for another request. `GET /wait/KEY` is parked until `POST /wait/KEY`, whose body answers all that wait
 * for KEY; `GET /` says how many wait.
 *
 * A parked request costs a promise and a connection, not a thread: thousands fit into one worker of the async class, up
 * to its `--worker-connections`. They wait in the memory of that worker, so run this with one: `tsgun apps/futures.ts`.
 */

import type { App, Body, Environ, Header, StartResponse } from 'tsgun';
import { readBody } from './read-body.ts';

const keyLimitBytes = 200;
const bodyLimitBytes = 64 * 1024;

const plainText: Header = ['Content-Type', 'text/plain; charset=utf-8'];

// The futures.

interface Release {
  readonly type: string;
  readonly body: Buffer;
}

/** Resolves a parked request's promise; with nothing, if the request is given up. */
type Resolve = (release: Release | undefined) => void;

/** A key is in here only while somebody waits for it. */
const parked = new Map<string, Set<Resolve>>();

/** @returns the POST's body, or undefined if the client seems to have left before */
function park(key: string, signal: AbortSignal): Promise<Release | undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    const waiting = parked.get(key) ?? new Set();
    parked.set(key, waiting.add(resolve));
    const forget = () => {
      waiting.delete(resolve);
      // By now the key may be another set's: those that came after this one was released.
      if (waiting.size === 0 && parked.get(key) === waiting) parked.delete(key);
      resolve(undefined);
    };
    signal.addEventListener('abort', forget, { once: true });
  });
}

/** @returns how many waited */
function release(key: string, what: Release): number {
  const waiting = parked.get(key);
  parked.delete(key);
  for (const resolve of waiting ?? []) resolve(what);
  return waiting?.size ?? 0;
}

// The router.

type Handler = (env: Environ, startResponse: StartResponse, key: string) => Body | Promise<Body>;

interface Route {
  /** What it captures is the key. */
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Handler>>;
}

const routes: readonly Route[] = [
  { path: /^\/$/, methods: { GET: count, HEAD: count } },
  { path: /^\/wait\/([^/]+)$/, methods: { GET: wait, HEAD: wait, POST: answerAll } },
];

const app: App = (env, startResponse) => {
  for (const { path, methods } of routes) {
    const match = path.exec(env.PATH_INFO);
    if (match === null) continue;
    const [, key = ''] = match;
    if (key.length > keyLimitBytes)
      return refuse(startResponse, '414 URI Too Long', `a key has at most ${keyLimitBytes} bytes, got ${key.length}`);
    if (Object.hasOwn(methods, env.REQUEST_METHOD)) return methods[env.REQUEST_METHOD]!(env, startResponse, key);
    const allowed: Header = ['Allow', Object.keys(methods).join(', ')];
    return refuse(startResponse, '405 Method Not Allowed', `${env.REQUEST_METHOD} is not allowed here`, allowed);
  }
  // A path is bytes as latin1 (PEP 3333, "Unicode Issues").
  const path = Buffer.from(env.PATH_INFO, 'latin1').toString();
  return refuse(startResponse, '404 Not Found', `nothing is at ${JSON.stringify(path)}; try /wait/KEY`);
};

export default app;

function refuse(startResponse: StartResponse, status: string, reason: string, ...headers: Header[]): Body {
  startResponse(status, [plainText, ...headers]);
  return [`error: ${reason}\n`];
}

// What it routes to.

function count(_env: Environ, startResponse: StartResponse): Body {
  let requests = 0;
  for (const waiting of parked.values()) requests += waiting.size;
  startResponse('200 OK', [plainText]);
  return [`waiting: ${requests}, keys: ${parked.size}\n`];
}

async function wait(env: Environ, startResponse: StartResponse, key: string): Promise<Body> {
  const released = await park(key, env['tsgun.signal']);
  // Only a client that half-closed reads this: its FIN looks as if it had left.
  if (released === undefined) return refuse(startResponse, '503 Service Unavailable', 'nobody released it in time');
  startResponse('200 OK', [['Content-Type', released.type]]);
  return [released.body];
}

async function answerAll(env: Environ, startResponse: StartResponse, key: string): Promise<Body> {
  const body = await readBody(env, bodyLimitBytes);
  if (body === undefined)
    return refuse(startResponse, '413 Content Too Large', `a body has at most ${bodyLimitBytes} bytes`);
  const type = env.CONTENT_TYPE ?? 'application/octet-stream';
  const releasedCount = release(key, { type, body });
  startResponse('200 OK', [plainText]);
  return [`released: ${releasedCount}\n`];
}
