/** What `run` and `createServer` serve, by interface. */

import type { IncomingMessage, Server as NodeServer, ServerResponse } from 'node:http';
import type { TcpApp } from '../app/tcp.ts';
import type { App } from '../app/types.ts';

/** A handler of `node:http`, which apps of Express and Connect are too; an app of Koa, Fastify or Nest; an `http.Server`. */
export type NodeApp =
  | ((request: IncomingMessage, response: ServerResponse) => unknown)
  | NodeServer
  | { callback(): (request: IncomingMessage, response: ServerResponse) => unknown }
  | { routing(request: IncomingMessage, response: ServerResponse): void; ready(): PromiseLike<unknown> }
  | { getHttpAdapter(): unknown; init(): Promise<unknown> };

/** As on edge runtimes (WinterTC): a function, or what has it as `fetch`, as apps of Hono, h3 and itty-router do. */
export type FetchApp = FetchHandler | { fetch: FetchHandler };
/** A method, so that one may ask for more than it is given here: Hono's `c.env` is of the app's own type. */
type FetchHandler = { handle(request: Request, ...rest: never[]): Response | PromiseLike<Response> }['handle'];

export interface Apps {
  readonly wsgi: App;
  readonly node: NodeApp;
  readonly fetch: FetchApp;
  readonly tcp: TcpApp;
  readonly auto: App | NodeApp | FetchApp;
}
/** Any of them, where the types have been looked at. */
export type AnyApp = Apps[keyof Apps];
