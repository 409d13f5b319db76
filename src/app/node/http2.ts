/** What requests and answers have over HTTP/2 beyond HTTP/1.1: see `node:http2`, "Compatibility API". */

import type { ServerResponse } from 'node:http';
import { IncomingMessage } from './http.ts';
import { own, type Request } from './request.ts';

interface Http2Request extends Request {
  authority?: string;
  scheme?: string;
}

interface Http2Response extends ServerResponse {
  setTrailer?(name: string, value: string | readonly string[]): void;
  createPushResponse?(fields: object, callback: (error: Error) => void): void;
}

export function asHttp2(request: Http2Request, response: Http2Response): void {
  const { head, ends } = request[own].exchange;
  request.authority = head.host ?? '';
  request.scheme = ends.scheme;
  Object.defineProperty(request, 'headers', withPseudoFields);
  response.setTrailer = setTrailer;
  response.createPushResponse = refusePush;
}

const usual = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')!;

/** One object for all requests, so that they keep one shape. */
const withPseudoFields: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: Http2Request) {
    const fields = usual.get!.call(this) as Record<string, string>;
    if (fields[':method'] !== undefined) return fields;
    const { head, ends } = this[own].exchange;
    // Node has pseudo fields there too, but not enumerable: code that makes a `Headers` of the fields would fail.
    return Object.defineProperties(fields, {
      ':method': { value: head.method, configurable: true },
      ':path': { value: head.target, configurable: true },
      ':scheme': { value: ends.scheme, configurable: true },
      ':authority': { value: head.host ?? '', configurable: true },
    });
  },
  set(this: Http2Request, fields: object) {
    usual.set!.call(this, fields);
  },
};

function setTrailer(this: ServerResponse, name: string, value: string | readonly string[]): void {
  this.addTrailers([value].flat().map((each) => [name, each]) as never);
}

/** Clients no longer support server push. */
function refusePush(_fields: object, callback: (error: Error) => void): void {
  const error = Object.assign(new Error('HTTP/2 client has disabled push streams'), {
    code: 'ERR_HTTP2_PUSH_DISABLED',
  });
  process.nextTick(callback, error);
}
