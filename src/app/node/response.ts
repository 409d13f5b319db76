/**
 * An answer as Node handlers know it: a real `http.ServerResponse`. Node's own code checks what the app says and keeps
 * the stream's states; at the seam where it would write to a socket, head and body go to the exchange as data instead, so
 * that framing, limits and what closes the connection are decided by the engine, as for every interface.
 */

import { ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../../http/errors.ts';
import type { Exchange, Piece } from '../../http/exchange.ts';
import type { Field } from '../../http/h1/writer.ts';
import { responseSymbols, withoutNews } from '../../node/objects.ts';
import { abortRequest, endRequest, own, type Request, startReading } from './request.ts';
import type { ResponseOptions } from './server-options.ts';
import type { ClientSocket } from './socket.ts';

type Done = ((error?: Error | null) => void) | null | undefined;

/** Node's names for the steps between `write` and the socket. */
interface Seam {
  _header: string | null;
  _headerSent: boolean;
  _trailer: string;
  _closed: boolean;
  /** What the app has announced, and `strictContentLength` holds it to. */
  _contentLength: number | null;
  socket: Socket | null;
  _storeHeader: (firstLine: string, headers: unknown) => void;
  _send: (data: Piece, encoding?: BufferEncoding | null, callback?: Done, length?: number) => boolean;
  _writeRaw: (data: Piece, encoding?: BufferEncoding | null, callback?: Done) => boolean;
  _finish: () => void;
  /** Documented, and missing in the types. */
  getRawHeaderNames(): string[];
}

const originalEarlyHints = ServerResponse.prototype.writeEarlyHints;
const areHintsUnchecked = !('writeInformation' in ServerResponse.prototype);
const originalFinish = (ServerResponse.prototype as unknown as Seam)._finish;
const { outHeaders, needDrain } = responseSymbols(withoutNews(() => new ServerResponse({ method: 'GET' } as Request)));
const seam = (response: object) => response as Seam & { [name: symbol]: unknown };

/** What a response has beyond Node's. */
class Answer {
  readonly exchange: Exchange;
  status = '';
  fields: readonly Field[] = [];
  /** The first piece, until it is known whether others follow; as Node does, at most until the next tick. */
  pending: Piece | undefined = undefined;
  pendingDone: Done = undefined;
  /** Whether a write returned false, and no `drain` has followed. */
  isStalled = false;
  finishDone: Done = undefined;
  /** Whether names and values of the early hints that are being written have been looked at. */
  areHintsChecked = !areHintsUnchecked;
  /** Called when the answer is complete, or will never be. */
  onSettled: (() => void) | undefined = undefined;
  /** What the listener has returned that was called by an event. */
  result: unknown = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }
}

export class Response extends ServerResponse<Request> {
  readonly [own]: Answer;

  constructor(request: Request, socket: ClientSocket, options?: ResponseOptions) {
    // The options that Node's server gives; they are missing in the types.
    super(...([request, options] as unknown as [Request]));
    const { exchange } = request[own];
    this[own] = new Answer(exchange);
    this.shouldKeepAlive = exchange.head.isKeepAlive;
    const parts = seam(this);
    parts.socket = socket as unknown as Socket;
    socket._httpMessage = this;
    // Own properties, as Express gives each response another prototype.
    parts._storeHeader = storeHeader;
    parts._send = send;
    parts._writeRaw = writeRaw;
    parts._finish = finish;
    if (needDrain === undefined) Object.defineProperty(this, 'writableNeedDrain', { get: () => this[own].isStalled });
  }

  override writeEarlyHints(hints: Record<string, string | string[]>, callback?: () => void): void {
    writeEarlyHints.call(this, hints, callback);
  }
}

/** Says the head, which waits for the first piece. */
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
  const add = (name: string, value: unknown) => {
    if (Array.isArray(value)) for (const each of value) fields.push([name, String(each)]);
    else fields.push([name, typeof value === 'string' ? value : String(value)]);
  };
  if (headers === undefined || headers === null) return fields;
  if (outHeaders !== undefined && headers === seam(response)[outHeaders]) {
    const entries = headers as Record<string, [name: string, value: unknown]>;
    for (const key in entries) add(entries[key]![0], entries[key]![1]);
    return fields;
  }
  const names = outHeaders === undefined ? seam(response).getRawHeaderNames() : [];
  for (const name of names) add(name, response.getHeader(name));
  if (names.length > 0) return fields;
  // Straight from writeHead: nobody has looked at these yet.
  const addChecked = (name: string, value: unknown) => {
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each);
    add(name, value);
  };
  if (!Array.isArray(headers))
    for (const [name, value] of Object.entries(headers as Record<string, unknown>)) addChecked(name, value);
  else if (Array.isArray(headers[0])) for (const [name, value] of headers) addChecked(name, value);
  else for (let index = 0; index < headers.length; index += 2) addChecked(headers[index], headers[index + 1]);
  return fields;
}

/** A piece of the body; empty where only the head is to be flushed, or at the end. */
function send(this: Response, data: Piece, encoding?: BufferEncoding | null, callback?: Done): boolean {
  const parts = seam(this);
  const isFirst = !parts._headerSent;
  parts._headerSent = true;
  (parts.socket as ClientSocket | null)?.noteActivity();
  if (data.length === 0) {
    // Node's end() says latin1, and gives what is to be called once the answer is out.
    if (encoding === 'latin1' && callback) this[own].finishDone = callback;
    else {
      attempt(this, () => flushHead(this));
      if (callback) process.nextTick(callback);
    }
    return true;
  }
  const isBytes = typeof data !== 'string' || !encoding || encoding === 'utf8' || encoding === 'utf-8';
  const piece = isBytes ? data : Buffer.from(data as string, encoding as BufferEncoding);
  if (isFirst) {
    this[own].pending = piece;
    this[own].pendingDone = callback;
    (parts.socket as ClientSocket | null)?.noteUnsent(piece.length);
    process.nextTick(flushPending, this);
    this[own].isStalled = piece.length >= this.writableHighWaterMark;
  } else {
    flushPending(this);
    pass(this, piece, callback);
  }
  return !this[own].isStalled;
}

function flushPending(response: Response): void {
  const { pending, pendingDone } = response[own];
  if (pending === undefined) return;
  takePending(response);
  pass(response, pending, pendingDone);
}

function takePending(response: Response): void {
  response[own].pending = undefined;
  (seam(response).socket as ClientSocket | null)?.noteUnsent(0);
}

function pass(response: Response, piece: Piece, callback: Done): void {
  const { exchange } = response[own];
  // It has failed, and was answered or cut.
  if (exchange.isEnded || exchange.isGone) return notify(response, callback);
  attempt(response, () => {
    begin(response);
    const isTaking = exchange.write(piece);
    if (!isTaking && !exchange.isGone) {
      response[own].isStalled = true;
      exchange.onDrain ??= () => {
        exchange.onDrain = undefined;
        drain(response);
      };
    } else if (response[own].isStalled) process.nextTick(drain, response);
  });
  notify(response, callback);
}

function drain(response: Response): void {
  if (!response[own].isStalled) return;
  response[own].isStalled = false;
  if (needDrain !== undefined) seam(response)[needDrain] = false;
  if (!response.writableEnded && !response.destroyed) response.emit('drain');
}

/** Calls back when what was written until now is out, or never will be. In a later tick: what is held back is written by then. */
function notify(response: Response, callback: Done): void {
  if (typeof callback === 'function') process.nextTick(callWhenOut, response, callback);
}

function callWhenOut(response: Response, callback: (error?: Error | null) => void): void {
  const { exchange } = response[own];
  const { transport } = exchange;
  if (exchange.isGone && !exchange.isEnded) callback(destroyedError());
  else if (transport.pendingBytes === 0) callback();
  else transport.whenTaken(callback);
}

function destroyedError(): Error {
  return Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' });
}

function begin(response: Response): void {
  const { exchange, status, fields } = response[own];
  if (exchange.status === '') exchange.begin(status, fields);
}

function flushHead(response: Response): void {
  flushPending(response);
  begin(response);
  response[own].exchange.sendHead();
}

/** Interim responses, which do not wait for anything. Node says them as text; here they are read, and held to the rules. */
function writeRaw(this: Response, data: Piece, _encoding?: BufferEncoding | null, callback?: Done): boolean {
  const [statusLine = '', ...lines] = String(data).split('\r\n');
  const status = /^HTTP\/1\.1 (1.*)$/.exec(statusLine)?.[1];
  // The empty line, and what stands behind it: nothing.
  if (status === undefined || lines.pop() !== '' || lines.pop() !== '')
    throw new AppError('only interim responses are written as they stand');
  if (status.startsWith('100 ')) startReading(this.req);
  else if (this[own].areHintsChecked || !status.startsWith('103 '))
    this[own].exchange.sendInterim(status, lines.map(readLine));
  if (typeof callback === 'function') process.nextTick(callback);
  return true;
}

/** A field out of a line of Node's. What is no such line is found to be none when it is written. */
function readLine(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()];
}

/**
 * Before version 24, Node passes on what it is given: a line end in it would begin another field, or another answer. Where a
 * framework has given the response a prototype without this method, `writeRaw` sends no hints.
 */
export function writeEarlyHints(this: Response, hints: Record<string, string | string[]>, callback?: () => void): void {
  for (const [name, value] of Object.entries(hints ?? {})) {
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each);
  }
  this[own].areHintsChecked = true;
  originalEarlyHints.call(this, hints, callback);
  this[own].areHintsChecked = !areHintsUnchecked;
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

/** The answer is complete: the app is done. What it is told waits until the answer is out. */
function settle(response: Response): void {
  const { exchange, onSettled } = response[own];
  onSettled?.();
  // It never was: `close` says so, when the connection has ended.
  if (exchange.isGone) return;
  if (exchange.transport.pendingBytes === 0) return conclude(response);
  // What its client still sends is not to wait for what it has not read.
  if (!response.req.complete) endRequest(response.req);
  exchange.transport.whenTaken((error) => conclude(response, error));
}

/**
 * What node:http does once an answer is out.
 * @param error where the client has left ahead of that: there is no `finish`, as since Node 24
 */
function conclude(response: Response, error?: Error): void {
  const { finishDone } = response[own];
  if (error === undefined) {
    finishDone?.();
    endRequest(response.req);
  } else {
    const socket = seam(response).socket as ClientSocket | null;
    if (socket !== null) socket._hadError = true;
    finishDone?.(error);
    // Before version 24, it follows from what the socket has left.
    Object.defineProperty(response, 'writableFinished', { value: false, configurable: true });
    abortRequest(response.req);
  }
  close(response);
}

/** The answer is complete, or nobody is there to take it. */
export function close(response: Response): void {
  const parts = seam(response);
  if (parts._closed) return;
  const socket = parts.socket as ClientSocket | null;
  if (socket?._httpMessage === response && !response[own].exchange.isGone) {
    socket._httpMessage = null;
    socket.setTimeout(0);
  }
  if (response.writableEnded) parts.socket = null;
  response.destroyed = true;
  parts._closed = true;
  response.emit('close');
  response[own].onSettled?.();
}

/** What breaks the rules of HTTP is a failure of the app; what it does afterwards goes nowhere. */
function attempt(response: Response, action: () => void): void {
  try {
    action();
  } catch (error) {
    fail(response, error);
  }
}

/** Who still writes to it hears that nobody takes it any more. */
export function fail(response: Response, error: unknown): void {
  const { exchange } = response[own];
  exchange.fail(error);
  // Tracers and access logs read it when the response is closed.
  if (exchange.isEnded && exchange.status !== '') response.statusCode = Number.parseInt(exchange.status, 10);
  exchange.loseBody();
  process.nextTick(close, response);
}
