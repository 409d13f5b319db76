/**
 * What a server's listener for `stream` gets: a stream as of node:http2, over a request and its response. So it has the deadlines,
 * the log and the drain of any other request, in each worker class, and needs no stream of Node's.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { Duplex } from 'node:stream';
import type { NodeListener } from './server.ts';

type Fields = Record<string, string | number | readonly string[] | undefined>;

/** Error code of RFC 9113 §7. */
const cancel = 8;
/** Flags of RFC 9113 §6.2. */
const [endStream, endHeaders] = [1, 4];

/** Node has a listener of its own, which makes requests of streams. */
const nodesOwn = 'bound onServerStream';

/** What takes the requests of a server of node:http2: its listeners for `request`, or else those for `stream`. */
export function listenerOf(server: Server): NodeListener {
  return (request, response) => {
    if (server.emit('request', request, response)) return;
    if (!server.listeners('stream').some(({ name }) => name !== nodesOwn))
      throw new Error('the Http2Server has no listener for `request` or `stream`');
    emitStream(server, request, response);
  };
}

function emitStream(server: Server, request: IncomingMessage, response: ServerResponse): void {
  const hasBody = 'transfer-encoding' in request.headers || request.headers['content-length'] !== '0';
  const flags = endHeaders | (hasBody && !request.complete ? 0 : endStream);
  const fields = fieldsOf(request);
  const raw = Object.entries(fields).flatMap(([name, value]) => (name.startsWith(':') ? [name, String(value)] : []));
  server.emit('stream', new RequestedStream(request, response), fields, flags, [...raw, ...request.rawHeaders]);
}

/** With the pseudo-fields of RFC 9113 §8.3.1, which a request keeps apart. */
function fieldsOf(request: IncomingMessage): Fields {
  const { host, ...others } = request.headers;
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const pseudo = { ':method': request.method, ':path': request.url, ':scheme': scheme, ':authority': host ?? '' };
  return Object.assign(Object.create(null), pseudo, others);
}

class RequestedStream extends Duplex {
  headersSent = false;
  aborted = false;
  rstCode = 0;
  readonly pushAllowed = false;
  readonly session: { readonly socket: IncomingMessage['socket']; readonly encrypted: boolean };
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private isReading = false;
  private waitsForTrailers = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    // As Node's: one whose end was read is still written to.
    super({ autoDestroy: false });
    this.request = request;
    this.response = response;
    this.session = { socket: request.socket, encrypted: 'encrypted' in request.socket };
    response.once('close', () => {
      if (!response.writableFinished && !this.destroyed) {
        this.aborted = true;
        this.rstCode ||= cancel;
        this.emit('aborted');
      }
      this.destroy();
    });
  }

  respond(fields: Fields = {}, options: { endStream?: boolean; waitForTrailers?: boolean } = {}): void {
    if (this.headersSent) throw failure('ERR_HTTP2_HEADERS_SENT', 'Response has already been initiated.');
    this.headersSent = true;
    for (const [name, value] of Object.entries(fields))
      if (!name.startsWith(':') && value !== undefined) this.response.setHeader(name, value);
    this.response.statusCode = Number(fields[':status'] ?? 200);
    this.waitsForTrailers = options.waitForTrailers === true && options.endStream !== true;
    if (options.endStream === true || this.request.method === 'HEAD') this.end();
    else this.response.flushHeaders();
  }

  additionalHeaders({ ':status': status, ...fields }: Fields): void {
    if (Number(status) === 103) this.response.writeEarlyHints(fields as Record<string, string>);
    else if (Number(status) === 100) this.response.writeContinue();
  }

  sendTrailers(fields: Fields): void {
    const all = Object.entries(fields).flatMap(([name, value]) =>
      [value ?? []].flat().map((each) => [name, `${each}`]),
    );
    this.response.addTrailers(all as [string, string][]);
    this.waitsForTrailers = false;
    this.response.end();
  }

  /** Clients no longer support server push. */
  pushStream(_fields: Fields, options: unknown, callback = options as (error: Error) => void): void {
    process.nextTick(callback, failure('ERR_HTTP2_PUSH_DISABLED', 'HTTP/2 client has disabled push streams'));
  }

  close(code = 0, callback?: () => void): void {
    if (callback !== undefined) this.once('close', callback);
    this.rstCode = code;
    if (code === 0 && !this.destroyed) this.end();
    else this.destroy();
  }

  setTimeout(ms: number, callback?: () => void): this {
    this.response.setTimeout(ms, callback);
    return this;
  }

  priority(): void {}

  override _read(): void {
    const { request } = this;
    if (this.isReading) return void request.resume();
    this.isReading = true;
    request.on('data', (bytes) => {
      if (!this.push(bytes)) request.pause();
    });
    request.on('end', () => {
      if (Object.keys(request.trailers).length > 0) this.emit('trailers', request.trailers, endStream);
      this.push(null);
    });
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.headersSent) this.respond();
    this.response.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.headersSent) this.respond({}, { endStream: true });
    this.response.once('finish', () => done());
    // Without a listener, there are no trailers.
    if (this.waitsForTrailers && this.emit('wantTrailers')) return;
    this.response.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.response.writableFinished) this.response.destroy(error ?? undefined);
    done(error);
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
