/**
 * The HTTP server of the admin listener. It serves few and small requests in the master, which must not suffer from it: it
 * waits for nobody for long, and holds few connections. Past that number, the one that has been silent longest is closed.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { report } from '../../errors.ts';
import type { Logger } from '../../logger.ts';

/** How long a client may take for a request: for its head, and for a body, which nobody reads. */
const requestMs = 5000;
/** Scrapers ask every 15 to 60 seconds: a connection is not kept for the next time. */
const keepAliveMs = 5000;
const checkMs = 1000;
const silentMs = 10_000;
const headBytes = 8192;
const mostConnections = 100;

export interface AdminRequest {
  readonly method: string;
  /** The target, as sent. */
  readonly target: string;
  readonly accept: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AdminServerOptions {
  readonly answer: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
  readonly log: () => Logger;
}

/** Loads `node:http`, which a master without an admin listener does not need. */
export async function createAdminServer({ answer, log }: AdminServerOptions): Promise<Server> {
  const { createServer } = await import('node:http');
  const server = createServer(
    {
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkMs,
      maxHeaderSize: headBytes,
    },
    (request, response) => void respond(request, response),
  );
  server.timeout = silentMs;
  limitConnections(server);
  // An error of the listening socket, such as a lack of descriptors: it goes on listening. Whoever binds it hears why it cannot.
  server.on('error', (error) => {
    if (server.listening) log().say('warn', { error: report(error).message }, 'the admin listener had an error');
  });
  return server;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that has gone is no error of ours.
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      const { method = '', url = '', headers } = request;
      send(request, response, await answer({ method, target: url, accept: headers.accept ?? '' }));
    } catch (error) {
      log().say('error', { ...report(error) }, 'the admin listener failed to answer');
      response.destroy();
    }
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: AdminAnswer): void {
  const bytes = Buffer.from(body);
  // A body is not read, so the connection cannot go on after it.
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    ...(hasBody ? { Connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function limitConnections(server: Server): void {
  /** The first one has been silent longest. */
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    for (const oldest of sockets) {
      if (sockets.size < mostConnections) break;
      sockets.delete(oldest);
      oldest.destroy();
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', ({ socket }) => {
    if (sockets.delete(socket)) sockets.add(socket);
  });
}
