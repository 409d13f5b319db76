/**
 * `Request` for a fetch app. To make Node's own takes several times as long as serving a small request, and most apps read only
 * method and URL. So this one becomes Node's when anything else is read.
 */

import type { Exchange } from '../../http/exchange.ts';
import { abortSignal } from '../wsgi/environ.ts';

type Native = InstanceType<typeof globalThis.Request>;

/** Set when there is a fetch app. Node's fetch takes 3 MB, which other apps do not pay though this file is loaded. */
let NativeRequest: typeof globalThis.Request;

/** Targets that `new URL` would leave as they are: nothing to encode, no dot segments. */
const plainTarget = /^\/(?![./%])(?:[\w\-~!$&()*+,;=:@?%.]|\/(?![./%]))*$/;

/** Its own fields are private: apps put their own properties on a request. */
export class LazyRequest {
  readonly method: string;
  readonly url: string;
  readonly #exchange: Exchange;
  #native: Native | undefined = undefined;
  #ownHeaders: Headers | undefined = undefined;
  #ownSignal: AbortSignal | undefined = undefined;
  #isRead = false;

  /** @throws TypeError if Host is not valid */
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

  /** Reads the whole body without a stream. */
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
    // The app may answer without awaiting it.
    body.catch(() => {});
    return body;
  }

  /** The answer is complete: only someone who reads the body already gets the rest. */
  static end(request: LazyRequest): void {
    if (request.#isRead || request.#native?.bodyUsed === true || request.#native?.body?.locked === true) return;
    request.#exchange.loseBody();
  }

  /** @returns Node's own request. From then on the body is read through it */
  static become(request: LazyRequest): Native {
    const { method, url } = request;
    const exchange = request.#exchange;
    if (request.#native !== undefined) return request.#native;
    request.#native = new NativeRequest(url, {
      // Node's class refuses TRACE, which a client may send.
      method: method === 'TRACE' ? 'GET' : method,
      headers: request.headers,
      signal: request.signal,
      ...(exchange.head.hasBody && method !== 'GET' && method !== 'HEAD'
        ? { body: request.#isRead ? '' : bodyStream(exchange), duplex: 'half' as const }
        : {}),
    });
    // Node's must not read or clone the body again either.
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
/** Makes `instanceof` of this class true for Node's requests. */
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

/** Node checks for internal parts that only its own objects have. Wherever an app passes a request on, Node gets its own. */
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
 * `OPTIONS *` is about the whole server, whose URI has an empty path (RFC 9112 §3.3). A raw backslash is an ordinary character
 * for the other interfaces, proxies and Node. `URL` would read a slash, so that the app would see another path than the code
 * that has checked it.
 */
function pathOf(path: string): string {
  if (path === '*') return '/';
  return path.includes('\\') ? path.replaceAll('\\', '%5C') : path;
}
