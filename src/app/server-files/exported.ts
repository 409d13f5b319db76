/** Whether a server that listens is the one that an export has, of its own or made for it: both are one app. Pure. */

import type { Server } from 'node:net';

/** Where frameworks keep the server that they have made: Fastify and Polka, Restify and Apollo, Hapi. */
const places = ['server', 'httpServer', 'listener'] as const;

export function isServerOf(app: unknown, server: Server): boolean {
  if (app === server) return true;
  if (app === null || (typeof app !== 'object' && typeof app !== 'function')) return false;
  const made = serversOf(app);
  if (made.includes(server)) return true;
  // That of a raw app.
  if (server.listeners('connection')[0] === app) return true;
  const [listener] = server.listeners('request');
  if (listener === undefined) return false;
  // Fastify has one more for the second address of `localhost`.
  if (listener === app || made.some((each) => isEmitter(each) && each.listeners('request')[0] === listener))
    return true;
  return made.length === 0 && isMadeFor(app, listener);
}

function serversOf(app: object): unknown[] {
  const found = places.map((place) => read(app, place));
  const getHttpServer = read(app, 'getHttpServer');
  if (typeof getHttpServer === 'function') found.push(call(getHttpServer, app));
  return found.filter((each) => typeof each === 'object' && each !== null);
}

/** Koa and Hono make a listener anew each time, which can be told by its text only. */
function isMadeFor(app: object, listener: unknown): boolean {
  const text = Function.prototype.toString.call(listener);
  if (typeof read(app, 'callback') === 'function') return /\bcreateContext\b/.test(text);
  return typeof read(app, 'fetch') === 'function' && /\bfetchCallback\b/.test(text);
}

/** A getter may fail before the app has started. */
function read(app: object, name: string): unknown {
  try {
    return Reflect.get(app, name);
  } catch {
    return undefined;
  }
}

function call(method: object, app: object): unknown {
  try {
    return Reflect.apply(method as () => unknown, app, []);
  } catch {
    return undefined;
  }
}

function isEmitter(value: unknown): value is Server {
  return typeof read(value as object, 'listeners') === 'function';
}
