/** A request as `inject` and `createEnviron` take it: by its path, or as `fetch` does. */

import { describe } from '../errors.ts';

export interface RequestInput {
  /** GET where there is no body, else POST. */
  readonly method?: string;
  /** A path, which is sent as it is, or a whole URL. */
  readonly url?: string | URL;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /** What a `Response` may have as its body; its type is sent where the headers name none. */
  readonly body?: ConstructorParameters<typeof Response>[0];
}

export interface PlainRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** With `host`, and `content-length` where the length is known. */
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
  readonly signal: AbortSignal | undefined;
}

/** @throws TypeError if it is not one of these */
export function plainRequest(given: string | URL | Request | RequestInput): PlainRequest {
  const isText = typeof given === 'string' || given instanceof URL;
  if (!isText && (typeof given !== 'object' || given === null))
    throw new TypeError(
      `request: expected a path, a Request or { method, url, headers, body }, got ${describe(given)}`,
    );
  const { url = '/', method, headers, body }: RequestInput = isText ? { url: given } : (given as RequestInput);
  const { target, host } = split(String(url));
  const all = new Headers(headers);
  if (!all.has('host')) all.set('host', host);
  const bytes = bodyOf(body, all);
  if (bytes instanceof Uint8Array) all.set('content-length', String(bytes.byteLength));
  const { signal } = given as Partial<Request>;
  return { method: method ?? (bytes === null ? 'GET' : 'POST'), target, headers: all, body: bytes, signal };
}

function split(url: string): { target: string; host: string } {
  if (url.startsWith('/') || url === '*') return { target: url, host: 'localhost' };
  if (!/^https?:\/\//i.test(url)) throw new TypeError(`request: expected a path or an http URL, got ${describe(url)}`);
  const { host, pathname, search } = new URL(url);
  return { target: pathname + search, host };
}

function bodyOf(body: RequestInput['body'], headers: Headers): PlainRequest['body'] {
  if (body === undefined || body === null) return null;
  const response = new Response(body);
  const type = response.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body));
  return body instanceof Uint8Array ? body : response.body;
}
