/**
 * `Request` for a fetch app. Node's own costs several times what serving a small request does, and most apps look at no
 * more than method and URL; so this one makes Node's out of itself when something else is asked for.
 */

import type { Exchange } from '../../http/exchange.ts';
import { abortSignal } from '../wsgi/environ.ts';

type Native = InstanceType<typeof globalThis.Request>;

/** Looked at when there is a fetch app: this file is loaded before, and Node's fetch is 3 MB that others do without. */
let NativeRequest: typeof globalThis.Request;

/** Targets that `new URL` would leave as they are: nothing to encode, no segments of dots. */
const plainTarget = /^\/(?![./%])(?:[\w\-~!$&()*+,;=:@?%.]|\/(?![./%]))*$/;

/** Its own names are private ones: apps put things of theirs on a request. */
export class LazyRequest {
  readonly method: string;
  readonly url: string;
  readonly #exchange: Exchange;
  #native: Native | undefined = undefined;
  #ownHeaders: Headers | undefined = undefined;
  #ownSignal: AbortSignal | undefined = undefined;
  #isRead = false;

  /** @throws TypeError for a Host that is not one */
  constructor(exchange: Exchange) {
    const { head } = exchange;
    this.#exchange = exchange;
    this.method = head.method;
    this.url = urlOf(exchange);
  }

  get headers(): Headers {
    if (this.#native !== undefined) return this.#native.headers;
    if (this.#ownHeaders === undefined) {
      const headers = new Headers();
      const { names, values } = this.#exchange.head;
      for (let index = 0; index < names.length; index++) headers.append(names[index]!.lower, values[index]!);
      this.#ownHeaders = headers;
    }
    return this.#ownHeaders;
  }

  get signal(): AbortSignal {
    this.#ownSignal ??= abortSignal(this.#exchange);
    return this.#ownSignal;
  }

  get bodyUsed(): boolean {
    return this.#isRead || (this.#native?.bodyUsed ?? false);
  }

  async text(): Promise<string> {
    return this.#native === undefined ? (await this.#take()).toString().replace(/^\ufeff/, '') : this.#native.text();
  }

  async json(): Promise<unknown> {
    return this.#native === undefined ? JSON.parse(await this.text()) : this.#native.json();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#native !== undefined) return this.#native.arrayBuffer();
    return new Uint8Array(await this.#take()).buffer;
  }

  /** The whole body, without a stream in between. */
  #take(): Promise<Buffer> {
    if (this.#isRead) return Promise.reject(new TypeError('Body is unusable: Body has already been read'));
    const exchange = this.#exchange;
    this.#isRead = exchange.head.hasBody;
    if (!exchange.head.hasBody) return Promise.resolve(Buffer.alloc(0));
    const body = new Promise<Buffer>((resolve, reject) => {
      const pieces: Buffer[] = [];
      exchange.onAbort(reject);
      exchange.readBody({
        onData: (bytes) => pieces.push(bytes) > 0,
        onEnd: () => resolve(Buffer.concat(pieces)),
        onLost: reject,
      });
    });
    // An app may have answered without waiting for it.
    body.catch(() => {});
    return body;
  }

  /** The answer is complete: the rest of the body is for who reads it by now. */
  static end(request: LazyRequest): void {
    if (request.#isRead || request.#native?.bodyUsed === true || request.#native?.body?.locked === true) return;
    request.#exchange.loseBody();
  }

  /** Node's own. The body is read through it from then on. */
  static become(request: LazyRequest): Native {
    const { method, url } = request;
    const exchange = request.#exchange;
    if (request.#native !== undefined) return request.#native;
    request.#native = new NativeRequest(url, {
      // Node refuses this one, which a server may be sent.
      method: method === 'TRACE' ? 'GET' : method,
      headers: request.headers,
      signal: request.signal,
      ...(exchange.head.hasBody && method !== 'GET' && method !== 'HEAD'
        ? { body: request.#isRead ? '' : bodyStream(exchange), duplex: 'half' as const }
        : {}),
    });
    // Nor can it be read again as Node's, or cloned.
    if (request.#isRead) void request.#native.text();
    return request.#native;
  }
}

const getters = ['body', 'cache', 'credentials', 'destination', 'duplex', 'integrity', 'keepalive', 'mode'];
getters.push('redirect', 'referrer', 'referrerPolicy');

for (const name of getters)
  Object.defineProperty(LazyRequest.prototype, name, {
    get(this: LazyRequest) {
      return Reflect.get(LazyRequest.become(this), name);
    },
    configurable: true,
  });
/** Makes this class stand for Node's, where an app asks. */
export function prepareRequest(): void {
  NativeRequest = globalThis.Request;
  for (const name of ['blob', 'bytes', 'clone', 'formData'])
    if (name in NativeRequest.prototype)
      Object.defineProperty(LazyRequest.prototype, name, {
        value(this: LazyRequest, ...args: unknown[]) {
          const native = LazyRequest.become(this);
          return Reflect.apply(Reflect.get(native, name), native, args);
        },
        configurable: true,
        writable: true,
      });
  Object.setPrototypeOf(LazyRequest.prototype, NativeRequest.prototype);
}

/** Node looks for parts that only its own objects have: it is shown those, wherever an app passes a request on. */
export function installRequest(): void {
  prepareRequest();
  const unwrap = <T>(value: T) => (value instanceof LazyRequest ? (LazyRequest.become(value) as T) : value);
  const nativeFetch = globalThis.fetch;
  globalThis.fetch = (input, init) => nativeFetch(unwrap(input), init);
  globalThis.Request = new Proxy(NativeRequest, {
    construct: (target, [input, ...rest], newTarget) => Reflect.construct(target, [unwrap(input), ...rest], newTarget),
  });
}

function bodyStream(exchange: Exchange): ReadableStream<Uint8Array> {
  let isReading = false;
  let isOver = false;
  const fail = (controller: ReadableStreamDefaultController, reason: Error) => {
    if (!isOver) controller.error(reason);
    isOver = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        exchange.onAbort((reason) => fail(controller, reason));
      },
      pull(controller) {
        if (isReading) return exchange.resumeBody();
        isReading = true;
        exchange.readBody({
          onData(bytes) {
            if (isOver) return false;
            controller.enqueue(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
            return (controller.desiredSize ?? 0) > 0;
          },
          onEnd() {
            if (!isOver) controller.close();
            isOver = true;
          },
          onLost: (reason) => fail(controller, reason),
        });
      },
      cancel() {
        isOver = true;
        exchange.loseBody();
      },
    },
    { highWaterMark: 64 * 1024, size: (bytes) => bytes.byteLength },
  );
}

let lastHost = '';
let lastScheme = '';
let lastOrigin = '';

function urlOf({ head, ends }: Exchange): string {
  const host = head.host || `${ends.local.address}:${ends.local.port}`;
  if (host !== lastHost || ends.scheme !== lastScheme) {
    lastOrigin = new URL(`${ends.scheme}://${host}`).origin;
    lastHost = host;
    lastScheme = ends.scheme;
  }
  const target = head.query === '' ? pathOf(head.path) : `${pathOf(head.path)}?${head.query}`;
  return plainTarget.test(target) || target === '/' ? lastOrigin + target : new URL(lastOrigin + target).href;
}

/**
 * `OPTIONS *` means the server as a whole, whose URI has an empty path (RFC 9112 §3.3). A raw backslash is a character like
 * any other to the other interfaces, to proxies and to Node; `URL` would read a slash, and the app see another path than
 * whatever has checked it.
 */
function pathOf(path: string): string {
  if (path === '*') return '/';
  return path.includes('\\') ? path.replaceAll('\\', '%5C') : path;
}
