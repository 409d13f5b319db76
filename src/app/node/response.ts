/**
 * An answer as Node handlers know it: a real `http.ServerResponse`. Node's own code checks what the app passes and keeps the
 * stream's state. Where it would write to a socket, head and body go to the exchange as data. So the engine decides on framing,
 * limits and the close of the connection, as for every interface.
 */

import type { Socket } from 'node:net';
import { AppError } from '../../http/errors.ts';
import type { Piece } from '../../http/exchange.ts';
import { lookUpField } from '../../http/fields.ts';
import type { Field } from '../../http/h1/writer.ts';
import { ServerResponse, validateHeaderName, validateHeaderValue } from './http.ts';
import { own, type Request, startReading } from './request.ts';
import { Answer, areHintsUnchecked, type Done, needDrain, outHeaders, type Seam, seam } from './response-parts.ts';
import { begin, flushPending, notify, send, takePending } from './response-sending.ts';
import { attempt, detachAtFinish, settle } from './response-settling.ts';
import type { ResponseOptions } from './server-options.ts';
import type { ClientSocket } from './socket.ts';

const originalEarlyHints = ServerResponse.prototype.writeEarlyHints;
const originalFinish = (ServerResponse.prototype as unknown as Seam)._finish;
/** The types lack the options, which are those of Node's server. */
type ResponseWithOptions = new (request: Request, options?: ResponseOptions) => ServerResponse<Request>;

export class Response extends (ServerResponse as unknown as ResponseWithOptions) {
  // A field, for the reason that `Request` has one.
  readonly [own]!: Answer;

  constructor(request: Request, socket: ClientSocket, options?: ResponseOptions) {
    super(request, options);
    prepare(this, request, socket);
  }

  waitUntil(work: PromiseLike<unknown>): void {
    waitUntil.call(this, work);
  }

  override writeEarlyHints(hints: Record<string, string | string[]>, callback?: () => void): void {
    writeEarlyHints.call(this, hints, callback);
  }
}

/** Makes the same class from a class that an app has given its `http.Server`, whose constructor then runs, too. */
export function responsesOf(Base: typeof ServerResponse): typeof Response {
  class Made extends (Base as unknown as ResponseWithOptions) {
    readonly [own]!: Answer;

    constructor(request: Request, socket: ClientSocket, options?: ResponseOptions) {
      super(request, options);
      prepare(this as unknown as Response, request, socket);
    }
  }
  Object.assign(Made.prototype, { waitUntil });
  if (Base.prototype.writeEarlyHints === originalEarlyHints) Object.assign(Made.prototype, { writeEarlyHints });
  return Made as unknown as typeof Response;
}

function prepare(response: Response, request: Request, socket: ClientSocket): void {
  const { exchange } = request[own];
  (response as { [own]: Answer })[own] = new Answer(exchange);
  response.shouldKeepAlive = exchange.head.isKeepAlive;
  const parts = seam(response);
  parts.socket = socket as unknown as Socket;
  socket._httpMessage = response;
  // Own properties, because Express gives each response another prototype.
  parts._storeHeader = storeHeader;
  parts._send = send;
  parts._writeRaw = writeRaw;
  parts._finish = finish;
  response.on('finish', detachAtFinish);
  if (needDrain === undefined)
    Object.defineProperty(response, 'writableNeedDrain', { get: () => response[own].isStalled });
}

/** Stores the head, which waits for the first piece. */
function storeHeader(this: Response, firstLine: string, headers: unknown): void {
  this[own].status = firstLine.slice('HTTP/1.1 '.length, -2);
  const fields = readFields(this, headers);
  if (!this.shouldKeepAlive) fields.push(['Connection', 'close']);
  if (this.strictContentLength) {
    const announced = fields.find(([name]) => name.toLowerCase() === 'content-length');
    if (announced !== undefined) seam(this)._contentLength = Number(announced[1]);
  }
  this[own].exchange.sendsDate = this.sendDate;
  this[own].fields = fields;
  seam(this)._header = `${firstLine}\r\n`;
}

function readFields(response: Response, headers: unknown): Field[] {
  const fields: Field[] = [];
  if (headers === undefined || headers === null) return fields;
  const unique = response[own].uniqueHeaders;
  if (outHeaders !== undefined && headers === seam(response)[outHeaders]) {
    const entries = headers as Record<string, [name: string, value: unknown]>;
    for (const key in entries) add(fields, unique, entries[key]![0], entries[key]![1]);
    return fields;
  }
  if (outHeaders === undefined) {
    const names = seam(response).getRawHeaderNames();
    for (const name of names) add(fields, unique, name, response.getHeader(name));
    if (names.length > 0) return fields;
  }
  if (!Array.isArray(headers))
    for (const name of Object.keys(headers))
      addChecked(fields, unique, name, (headers as Record<string, unknown>)[name]);
  else if (Array.isArray(headers[0])) for (const [name, value] of headers) addChecked(fields, unique, name, value);
  else if (headers.length % 2 !== 0)
    throw Object.assign(new TypeError('writeHead takes names and values in turn: the last value is missing'), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  else {
    for (let index = 0; index < headers.length; index += 2)
      addChecked(fields, unique, headers[index], headers[index + 1]);
  }
  return fields;
}

function add(fields: Field[], unique: ReadonlySet<string> | undefined, name: string, value: unknown): void {
  if (!Array.isArray(value)) fields.push([name, typeof value === 'string' ? value : String(value)]);
  else if (unique?.has(name.toLowerCase())) fields.push([name, value.join('; ')]);
  else for (const each of value) fields.push([name, String(each)]);
}

/** One that `writeHead` has passed unchecked. */
function addChecked(fields: Field[], unique: ReadonlySet<string> | undefined, name: string, value: unknown): void {
  // The last value of this field has been checked already.
  if (typeof name !== 'string' || value === undefined || lookUpField(name)?.sentValue !== value) {
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each);
  }
  add(fields, unique, name, value);
}

/** Interim responses, which are sent at once. Node passes them as text; here that is read again, and checked. */
function writeRaw(this: Response, data: Piece, _encoding?: BufferEncoding | null, callback?: Done): boolean {
  const [statusLine = '', ...lines] = String(data).split('\r\n');
  const status = /^HTTP\/1\.1 (1.*)$/.exec(statusLine)?.[1];
  // After the empty line there must be nothing.
  if (status === undefined || lines.pop() !== '' || lines.pop() !== '')
    throw new AppError('only interim responses are written as they stand');
  if (status.startsWith('100 ')) startReading(this.req);
  else if (this[own].areHintsChecked || !status.startsWith('103 '))
    this[own].exchange.sendInterim(status, lines.map(readLine));
  if (typeof callback === 'function') process.nextTick(callback);
  return true;
}

/** Reads one of Node's lines as a field. A malformed one is refused when it is written. */
function readLine(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()];
}

/**
 * Before version 24, Node passes on hints unchecked: a line end in them would begin another field, or another answer. If a
 * framework has given the response a prototype without this method, `writeRaw` sends no hints.
 */
export function writeEarlyHints(this: Response, hints: Record<string, string | string[]>, callback?: () => void): void {
  for (const [name, value] of areHintsUnchecked ? Object.entries(hints ?? {}) : []) {
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each);
  }
  this[own].areHintsChecked = true;
  originalEarlyHints.call(this, hints, callback);
  this[own].areHintsChecked = !areHintsUnchecked;
}

/** Lets work continue after the answer: a worker that leaves waits for it. */
export function waitUntil(this: Response, work: PromiseLike<unknown>): void {
  this[own].exchange.waitUntil(work);
}

/** The app has ended its answer. */
function finish(this: Response): void {
  const { exchange, pending } = this[own];
  originalFinish.call(this);
  attempt(this, () => {
    const { _trailer: lines } = seam(this);
    const trailers = lines === '' ? [] : lines.split('\r\n').slice(0, -1).map(readLine);
    if (exchange.status === '' && trailers.length === 0) {
      takePending(this);
      exchange.send(this[own].status, this[own].fields, pending ?? '');
      if (pending !== undefined) notify(this, this[own].pendingDone);
    } else {
      flushPending(this);
      begin(this);
      exchange.end(trailers);
    }
  });
  process.nextTick(settle, this);
}
