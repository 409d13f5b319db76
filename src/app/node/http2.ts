/** What requests and answers have over HTTP/2 beyond HTTP/1.1: see `node:http2`, "Compatibility API". */

import type { ServerResponse } from 'node:http';
import { IncomingMessage } from './http.ts';
import { own, type Request } from './request.ts';
import type { Response } from './response.ts';

export interface Makers {
  readonly MadeRequest: typeof Request;
  readonly MadeResponse: typeof Response;
}

/** The same classes with these members. */
export function http2MakersOf({ MadeRequest, MadeResponse }: Makers): Makers {
  const makers = { MadeRequest: class extends MadeRequest {}, MadeResponse: class extends MadeResponse {} };
  nameAs(makers.MadeRequest, MadeRequest.name);
  nameAs(makers.MadeResponse, MadeResponse.name);
  asHttp2(makers.MadeRequest.prototype, makers.MadeResponse.prototype);
  return makers;
}

/** Gives these members to one request and its answer, whose prototypes a framework changes: that takes 3 microseconds. */
export function asHttp2(request: object, response: object): void {
  Object.defineProperties(request, requestMembers);
  Object.defineProperties(response, responseMembers);
}

export function nameAs(of: object, name: string): void {
  Object.defineProperty(of, 'name', { value: name, configurable: true });
}

const usual = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')!;

/** One object for all requests, so that they keep one shape. */
const requestMembers: PropertyDescriptorMap = {
  authority: member('authority', (request) => request[own].exchange.head.host ?? ''),
  scheme: member('scheme', (request) => request[own].exchange.ends.scheme),
  headers: {
    configurable: true,
    enumerable: true,
    get(this: Request) {
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
    set(this: Request, fields: object) {
      usual.set!.call(this, fields);
    },
  },
};

const responseMembers: PropertyDescriptorMap = {
  setTrailer: { value: setTrailer, configurable: true, writable: true, enumerable: true },
  createPushResponse: { value: refusePush, configurable: true, writable: true, enumerable: true },
};

/** Of a request; an app may set it. */
function member(name: string, read: (request: Request) => string): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Request) {
      return read(this);
    },
    set(this: Request, value: unknown) {
      Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true });
    },
  };
}

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
