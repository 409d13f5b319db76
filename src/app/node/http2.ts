/** What a request and its answer have over HTTP/2 beside what they have in HTTP/1.1: see `node:http2`, "Compatibility API". */

import type { ServerResponse } from 'node:http';
import { own, type Request } from './request.ts';

interface Http2Response extends ServerResponse {
  setTrailer?(name: string, value: string | readonly string[]): void;
  createPushResponse?(fields: object, callback: (error: Error) => void): void;
}

export function asHttp2(request: Request, response: Http2Response): void {
  const { head, ends } = request[own].exchange;
  const authority = head.host ?? '';
  Object.assign(request, { authority, scheme: ends.scheme });
  // Not in a list of the fields: Node has them there, and what makes a `Headers` of them fails.
  Object.defineProperties(request.headers, {
    ':method': { value: head.method, configurable: true },
    ':path': { value: head.target, configurable: true },
    ':scheme': { value: ends.scheme, configurable: true },
    ':authority': { value: authority, configurable: true },
  });
  response.setTrailer = setTrailer;
  response.createPushResponse = refusePush;
}

function setTrailer(this: ServerResponse, name: string, value: string | readonly string[]): void {
  this.addTrailers([value].flat().map((each) => [name, each]) as never);
}

/** Clients have given it up. */
function refusePush(_fields: object, callback: (error: Error) => void): void {
  const error = Object.assign(new Error('HTTP/2 client has disabled push streams'), {
    code: 'ERR_HTTP2_PUSH_DISABLED',
  });
  process.nextTick(callback, error);
}
