/** A request as Node handlers know it: a real `http.IncomingMessage` that reads its body from an exchange. */

import type { Socket } from 'node:net';
import type { Exchange } from '../../http/exchange.ts';
import { IncomingMessage } from './http.ts';
import type { ClientSocket } from './socket.ts';

/** Node's names of the methods that its parser would call. */
interface Internals {
  _addHeaderLines(lines: string[], count: number): void;
}

const originalRead = IncomingMessage.prototype._read;

/** Our own state is under this symbol: frameworks and apps put properties such as `status` on these objects. */
export const own = Symbol('tsgun');

interface Source {
  readonly exchange: Exchange;
  /** Kept here, because an app may take away the request's own `socket`. */
  readonly socket: ClientSocket;
  /** Whether the body is being read into this stream. */
  isReading: boolean;
  /** tsgun has ended the stream: destroying it must not cut the connection. */
  isOver: boolean;
}

export class Request extends IncomingMessage {
  // A field, not a declaration: if a function adds it later, V8 compiles these constructors again and again, on all cores.
  readonly [own]!: Source;

  constructor(exchange: Exchange, socket: ClientSocket) {
    // The constructor needs no more than a stream.
    super(socket as unknown as Socket);
    begin(this, exchange, socket);
  }
}

/** Makes the same class from a class that an app has given its `http.Server`, whose constructor then runs, too. */
export function requestsOf(Base: typeof IncomingMessage): typeof Request {
  return class extends Base {
    readonly [own]!: Source;

    constructor(exchange: Exchange, socket: ClientSocket) {
      super(socket as unknown as Socket);
      begin(this as unknown as Request, exchange, socket);
    }
  } as unknown as typeof Request;
}

function begin(request: Request, exchange: Exchange, socket: ClientSocket): void {
  const { head } = exchange;
  (request as { [own]: Source })[own] = { exchange, socket, isReading: false, isOver: false };
  request.httpVersionMajor = head.isHttp2 ? 2 : 1;
  request.httpVersionMinor = head.isHttp2 ? 0 : head.minorVersion;
  request.httpVersion = head.version;
  request.method = head.method;
  request.url = head.target;
  const lines: string[] = [];
  const { names, values } = head;
  for (let index = 0; index < names.length; index++) lines.push(names[index]!.raw, values[index]!);
  (request as unknown as Internals)._addHeaderLines(lines, lines.length);
  // Set after the fields: Node would take them for trailers before.
  request.complete = !head.hasBody;
  // Own properties, because Express gives each request another prototype.
  request._read = read;
  request._destroy = destroy;
}

function read(this: Request, size: number): void {
  originalRead.call(this, size);
  if (this[own].isReading) return this[own].exchange.resumeBody();
  startReading(this);
}

/** Reads the body as fast as the stream takes it. A client that waits for permission to send gets it now. */
export function startReading(request: Request): void {
  if (request[own].isReading) return;
  request[own].isReading = true;
  const { exchange } = request[own];
  if (!exchange.head.hasBody) {
    request.push(null);
    return;
  }
  exchange.readBody({
    onData(bytes) {
      request[own].socket.noteActivity();
      return !request.destroyed && request.push(bytes);
    },
    onEnd() {
      request.complete = true;
      const { trailers } = exchange.head;
      // While `complete` is true, Node takes lines for trailers.
      if (trailers !== undefined) (request as unknown as Internals)._addHeaderLines(trailers, trailers.length);
      request[own].socket.forgetRequest(request);
      if (!request.destroyed) request.push(null);
    },
    onLost() {
      request[own].isOver = true;
      request[own].socket.forgetRequest(request);
      request.destroy();
    },
  });
}

/**
 * As Node's own, except that it does not end the connection, which is for the server to do. Node's streams destroy the socket
 * even if only the rest of the body is not wanted: after `break` in a `for await`, after a failed pipeline, or with `take`. The
 * app still answers then.
 */
function destroy(this: Request, error: Error | null, done: (error?: Error | null) => void): void {
  const { exchange } = this[own];
  const isAnswerable = (this.socket as Socket | null) === null;
  if (exchange.isEnded || isAnswerable) exchange.loseBody();
  if (!this[own].isOver && (!this.readableEnded || !this.complete)) {
    this.aborted = true;
    this.emit('aborted');
    if (exchange.isEnded && !isAnswerable) exchange.transport.hangUp(exchange);
    else if (!exchange.isGone && exchange.leaveReason === undefined && !isAnswerable) exchange.transport.hangUp();
  }
  process.nextTick(() => done(this.listenerCount('error') === 0 ? null : error));
}

/** The client has left, or has closed its half: does what Node does then. */
export function abortRequest(request: Request): void {
  if (request.destroyed || request[own].isOver) return;
  request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}

/**
 * Whether the app goes on reading. A body whose reading has stopped for good, such as one beyond a parser's limit, is paused as
 * well.
 */
function isWanted(request: Request): boolean {
  const { pipes } = (request as unknown as { _readableState: { pipes: unknown[] } })._readableState;
  return request.readableFlowing === true || pipes.length > 0 || request.listenerCount('readable') > 0;
}

/** Since version 26, Node ends a request that nobody has read in the next tick, and its answer closes after that. */
const endsUnreadFirst = (() => {
  const request = new IncomingMessage(null as never);
  request.complete = true;
  request.push(null);
  (request as unknown as { _dump(): void })._dump();
  return request.readableFlowing === null;
})();

/**
 * The answer is complete: ends the request's stream for those who wait for that.
 * @returns whether that is in the next tick, ahead of the close of the answer
 */
export function endRequest(request: Request): boolean {
  request[own].isOver = true;
  if (!request.complete && !request.destroyed && isWanted(request)) {
    startReading(request);
    return false;
  }
  request[own].exchange.loseBody();
  request[own].socket.forgetRequest(request);
  if (request.destroyed || (request.listenerCount('close') === 0 && request.listenerCount('end') === 0)) return false;
  if (!request.complete) request.destroy();
  else if (!request.readableEnded) {
    const isUnread = request.readableFlowing === null && request.readableLength === 0;
    startReading(request);
    if (endsUnreadFirst && isUnread) {
      request.read(0);
      return true;
    }
    request.resume();
  }
  return false;
}
