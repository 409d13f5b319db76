/** The fetch interface: `(request) => Response`, as on edge runtimes (WinterTC), or an object with such a `fetch`. */

import type { ReadableStreamReadResult } from 'node:stream/web';
import { AppError, HttpError } from '../../http/errors.ts';
import type { Exchange, Piece } from '../../http/exchange.ts';
import type { Field } from '../../http/h1/writer.ts';
import type { Handler } from '../wsgi/wsgi.ts';
import { installRequest, LazyRequest, prepareRequest } from './request.ts';
import {
  installResponse,
  LightResponse,
  NativeResponse,
  type Plain,
  prepareResponse,
  readFields,
  statusLine,
} from './response.ts';

export type Fetch = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** Who asks; as in Deno. Hono has it as `c.env`. */
export interface FetchInfo {
  readonly remoteAddr: { readonly transport: 'tcp' | 'unix'; readonly hostname: string; readonly port: number };
}

let isInstalled = false;

/** @param isGuest the process is the caller's: its `Request`, `Response` and `fetch` stay, and the app gets Node's own request */
export function fetchHandler(app: Fetch | { fetch: Fetch }, { isGuest = false } = {}): Handler {
  if (!isInstalled && isGuest) {
    prepareRequest();
    prepareResponse();
  } else if (!isInstalled) {
    isInstalled = true;
    installRequest();
    installResponse();
  }
  const call: Fetch =
    typeof app === 'function' && !('fetch' in app)
      ? (app as Fetch)
      : (request, info) => (app as { fetch: Fetch }).fetch(request, info);
  return (exchange) => {
    exchange.isLenient = true;
    let request: LazyRequest;
    try {
      request = new LazyRequest(exchange);
    } catch {
      return exchange.answer(new HttpError(400, 'malformed Host or request target'));
    }
    exchange.keepsBody = true;
    try {
      // Node knows a TRACE request only as one of these.
      const given = isGuest && request.method !== 'TRACE' ? LazyRequest.become(request) : request;
      const response = call(given as unknown as Request, new Info(exchange));
      if (response instanceof NativeResponse) return ended(request, answer(exchange, response));
      return Promise.resolve(response)
        .then((response) => answer(exchange, response))
        .catch((error) => exchange.fail(error))
        .then(() => LazyRequest.end(request));
    } catch (error) {
      return ended(request, exchange.fail(error));
    }
  };
}

function ended(request: LazyRequest, answered: void | Promise<void>): void | Promise<void> {
  if (answered !== undefined) return answered.then(() => LazyRequest.end(request));
  LazyRequest.end(request);
}

class Info implements FetchInfo {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get remoteAddr(): FetchInfo['remoteAddr'] {
    const { address: hostname, port } = this.#exchange.ends.remote;
    return { transport: hostname === '' ? 'unix' : 'tcp', hostname, port: Number(port) };
  }
}

function answer(exchange: Exchange, response: unknown): void | Promise<void> {
  if (!(response instanceof NativeResponse) && !isResponse(response))
    throw new AppError(`a fetch app returns a Response, got ${response === null ? 'null' : typeof response}`);
  const plain = LightResponse.read(response);
  if (isPlain(plain)) return exchange.send(plain.status, plain.fields, plain.text);
  // First, as what frameworks have in Response's place knows its type only once it has become Node's for its body.
  const { body } = plain;
  const status = statusLine(plain.status, plain.statusText);
  const fields = readFields(plain.headers);
  if (body === null) return exchange.send(status, fields, '');
  return sendStream(exchange, status, fields, body).catch((error) => exchange.fail(error));
}

function isPlain(answered: Plain | Response): answered is Plain {
  return typeof answered.text === 'string';
}

/** Of another realm, such as a test's, or of a package with classes of its own. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, body } = value as Partial<Response>;
  const isStream = body === null || (typeof body === 'object' && typeof body.getReader === 'function');
  return typeof status === 'number' && isStream && typeof headers?.[Symbol.iterator] === 'function';
}

/** A body that is there as a whole goes out as one, with its length; others piece by piece, as fast as the client reads. */
async function sendStream(exchange: Exchange, status: string, fields: Field[], body: ReadableStream): Promise<void> {
  const reader = (body as ReadableStream<Piece>).getReader();
  const cancel = (reason: unknown) => void reader.cancel(reason).catch(() => {});
  if (exchange.isHeadRequest) cancel(undefined);
  exchange.onAbort(cancel);
  try {
    const first = await reader.read();
    if (first.done) return exchange.send(status, fields, '');
    let next = readAhead(reader);
    if (await isDoneSoon(next)) return exchange.send(status, fields, checked(first.value));
    exchange.begin(status, fields);
    for (let step: ReadableStreamReadResult<Piece> = first; !step.done; ) {
      if (!exchange.write(checked(step.value)) && !exchange.isGone) await drained(exchange);
      if (exchange.isGone) return;
      step = await next;
      if (!step.done) next = readAhead(reader);
    }
    exchange.end();
  } catch (error) {
    cancel(error);
    throw error;
  }
}

/** It may fail while the client is waited for, or after it has gone: who comes to it then sees that, and nobody else need. */
function readAhead(reader: ReadableStreamDefaultReader<Piece>): Promise<ReadableStreamReadResult<Piece>> {
  const next = reader.read();
  next.catch(() => {});
  return next;
}

/**
 * Whether a read has shown, by the end of what is due in this turn, that there is nothing more.
 * @throws what it has failed with by then
 */
async function isDoneSoon(next: Promise<{ done: boolean }>): Promise<boolean> {
  let seen: { done: boolean } | Promise<{ done: boolean }> | undefined;
  next.then(
    (step) => {
      seen = step;
    },
    () => {
      seen = next;
    },
  );
  for (let turn = 0; turn < 4 && seen === undefined; turn++) await undefined;
  return seen !== undefined && (await seen).done;
}

function checked(piece: unknown): Piece {
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  throw new AppError(`a Response's stream gives byte arrays, got ${piece === null ? 'null' : typeof piece}`);
}

function drained(exchange: Exchange): Promise<void> {
  return new Promise((resolve) => {
    exchange.onDrain = () => {
      exchange.onDrain = undefined;
      resolve();
    };
  });
}
