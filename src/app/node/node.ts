/**
 * The node interface: runs `(req, res)` handlers and the frameworks made for them. They get Node's own objects, which stand on
 * our exchange.
 */

import type { Server } from 'node:http';
import { HttpError } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { listMembers } from '../../http/h1/grammar.ts';
import { keepAliveLine } from '../../http/h1/writer.ts';
import { isNodeServer, type NodeServer } from '../detect.ts';
import type { Handler } from '../handler.ts';
import { isPromise } from '../promise.ts';
import { extrasOf, socketOn } from './extras.ts';
import { asHttp2 } from './http2.ts';
import { hasPrototypes, standBefore } from './prototypes.ts';
import { abortRequest, own, Request, requestsOf } from './request.ts';
import { Response, responsesOf, waitUntil, writeEarlyHints } from './response.ts';
import { close, fail } from './response-settling.ts';
import { type Front, type FrontOptions, frontOf, type NodeListener } from './server.ts';
import type { ClientSocket } from './socket.ts';

export type { NodeListener };

export function nodeHandler(app: NodeListener | NodeServer, options?: FrontOptions): Handler {
  const front = frontOf(app, options);
  const { joinsDuplicates, responseOptions, uniqueHeaders, requestsPerSocket } = front;
  const { MadeRequest, MadeResponse } = makersFor(isNodeServer(app) ? app.listeners('request')[0] : app, front);
  const handle = (exchange: Exchange): void | Promise<void> => {
    try {
      if (exchange.head.isUpgrade && takesUpgrade(exchange, front)) return undefined;
    } catch (error) {
      return exchange.fail(error);
    }
    const socket = socketOf(exchange, front);
    const request = new MadeRequest(exchange, socket);
    if (joinsDuplicates) Object.assign(request, { joinDuplicateHeaders: true });
    const response = new MadeResponse(request, socket, responseOptions);
    if (exchange.head.isHttp2) asHttp2(request, response);
    if (uniqueHeaders !== undefined) response[own].uniqueHeaders = uniqueHeaders;
    if (exchange.head.hasBody) socket.noteRequest(request);
    if (requestsPerSocket > 0 && socket.countRequest() >= requestsPerSocket) response.shouldKeepAlive = false;
    exchange.isLenient = true;
    exchange.keepAliveLine = lineFor(exchange.transport.keepAliveMs ?? 0);
    exchange.keepsBody = true;
    exchange.endsWithClient = true;
    exchange.onCancel((reason) => leave(reason, request, response, socket));
    let result: unknown;
    try {
      result = front.call(request, response, socket);
    } catch (error) {
      return fail(response, error);
    }
    return isPromise(result) ? settled(result, exchange, response) : undefined;
  };
  return Object.assign(handle, { extras: extrasOf(front) });
}

// Logs and libraries show the classes by name.
nameAs(Request, 'IncomingMessage');
nameAs(Response, 'ServerResponse');

interface Makers {
  readonly MadeRequest: typeof Request;
  readonly MadeResponse: typeof Response;
}

let lastIdleMs = 0;
let lastLine = '';

function lineFor(idleMs: number): string {
  if (idleMs !== lastIdleMs) {
    lastLine = keepAliveLine(idleMs);
    lastIdleMs = idleMs;
  }
  return lastLine;
}

/** One pair per app, however many servers it has. */
const known = new WeakMap<object, Makers>();

/** The classes of requests and responses; for Express, with the prototypes that it would give them. */
function makersFor(app: unknown, { Incoming, Outgoing }: Front): Makers {
  if (Incoming !== undefined || Outgoing !== undefined)
    return {
      MadeRequest: Incoming === undefined ? Request : requestsOf(Incoming),
      MadeResponse: Outgoing === undefined ? Response : responsesOf(Outgoing),
    };
  if (!hasPrototypes(app)) return { MadeRequest: Request, MadeResponse: Response };
  const before = known.get(app);
  if (before?.MadeRequest.prototype === app.request && before.MadeResponse.prototype === app.response) return before;
  const makers = { MadeRequest: class extends Request {}, MadeResponse: class extends Response {} };
  nameAs(makers.MadeRequest, Request.name);
  nameAs(makers.MadeResponse, Response.name);
  app.request = standBefore(app.request, makers.MadeRequest.prototype);
  Object.assign(makers.MadeResponse.prototype, { writeEarlyHints, waitUntil });
  app.response = standBefore(app.response, makers.MadeResponse.prototype);
  known.set(app, makers);
  return makers;
}

function nameAs(of: object, name: string): void {
  Object.defineProperty(of, 'name', { value: name, configurable: true });
}

/** One for each connection. */
function socketOf({ transport }: Exchange, front: Front): ClientSocket {
  const socket = socketOn(transport, front);
  const { timeout } = front.server as Partial<Server>;
  if (timeout) socket.setTimeout(timeout);
  return socket;
}

/**
 * The request's time is over, or its client has left. If the client has only closed its half, the socket has told the app, and
 * closes next.
 */
function leave(reason: Error, request: Request, response: Response, socket: ClientSocket): void {
  const { exchange } = request[own];
  exchange.onAbort(() => {
    socket._hadError = true;
    abortRequest(request);
    close(response);
  });
  if (reason.name === 'TimeoutError' && !exchange.isGone) response.emit('timeout', socket);
}

/** An async handler is done when its promise has settled and its answer is complete. */
async function settled(result: Promise<unknown>, exchange: Exchange, response: Response): Promise<void> {
  try {
    await result;
  } catch (error) {
    fail(response, error);
  }
  if (!exchange.isEnded && !exchange.isGone) await new Promise<void>((resolve) => (response[own].onSettled = resolve));
}

// Upgrades (RFC 9110 §7.8). Without a listener, an upgrade is ignored, and the request is an ordinary one. CONNECT cannot be
// ignored (§9.3.6).

function takesUpgrade(exchange: Exchange, front: Front): boolean {
  if (exchange.head.method === 'CONNECT') {
    if (!exchange.head.hasBody && exchange.transport.takeOver !== undefined) upgrade(exchange, front, 'connect');
    else exchange.answer(new HttpError(501, 'CONNECT with a body is not served'));
    return true;
  }
  if (!mayUpgrade(exchange, front)) return false;
  upgrade(exchange, front, 'upgrade');
  return true;
}

function mayUpgrade(exchange: Exchange, front: Front): boolean {
  const { head, transport } = exchange;
  if (head.hasBody || transport.takeOver === undefined) return false;
  const { server, shouldUpgrade } = front;
  if (server.listenerCount('upgrade') === 0) return false;
  if (!head.names.some(({ kind }, index) => kind === 'upgrade' && listMembers(head.values[index]!).some(isOfApp)))
    return false;
  return shouldUpgrade === undefined || shouldUpgrade(new Request(exchange, socketOf(exchange, front)));
}

/**
 * Whether a protocol that a client offers is for the app. Versions of HTTP are for the server: clients offer `h2c` with any
 * request, and a WebSocket library would refuse such a request.
 */
function isOfApp(protocol: string): boolean {
  return !/^(?:h2c?|h3|https?|tls)(?:\/.*)?$/.test(protocol);
}

/**
 * A WebSocket's Close frame with status 1001, "going away" (RFC 6455 §5.5.1, §7.4.1). A control frame may come between any two
 * frames, and libraries write each frame in one step.
 */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** In the next tick, when it is known that the bytes read behind the request belong to the new protocol. */
function upgrade(exchange: Exchange, front: Front, event: 'upgrade' | 'connect'): void {
  process.nextTick(() => {
    if (exchange.isGone) return;
    const socket = socketOf(exchange, front);
    const request = new Request(exchange, socket);
    Object.assign(request, { upgrade: true });
    const { tunnel, rest } = exchange.transport.takeOver!(exchange, socket);
    socket.attach(tunnel, request.headers.upgrade?.toLowerCase() === 'websocket' ? goingAway : undefined);
    // The listener was removed after the head was read.
    if (!front.server.emit(event, request, socket, rest)) socket.destroy();
  });
}
