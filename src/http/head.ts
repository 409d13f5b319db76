/** A request's head: what the parser has read and checked, and what the framing rules made of it. */

import type { FieldName } from './fields.ts';

export type HttpVersion = '1.0' | '1.1' | '2.0';

/**
 * The lists of a head are copies of these. V8 watches what becomes of the lists that a literal makes: it may find that those
 * of the first requests lived long, and make all later ones in old memory, from where each keeps its request from the
 * collections of young objects. Seen on Node 24: 1.9 MB of 6.6 survived each collection.
 */
const noNames: readonly FieldName[] = [];
const noValues: readonly string[] = [];

export class RequestHead {
  method = '';
  /** As sent, unchanged. */
  target = '';
  /** Path and query of the target, whatever its form; `*` for OPTIONS *. Still percent-encoded. */
  path = '';
  query = '';
  /** HTTP/1.x: 0 or 1. HTTP/2 counts as 1, because it has all that HTTP/1.1 added to HTTP/1.0. */
  minorVersion = 1;
  isHttp2 = false;
  /** Fields in order of arrival: names and values at the same index. Other heads may have the same lists once it is complete. */
  names: FieldName[];
  values: string[];

  /** From Host, or from an absolute-form target, which overrules it (RFC 9112 §3.2.2). */
  host: string | undefined = undefined;
  /** -1 if there is none: then the body is chunked, or there is no body. */
  contentLength = -1;
  /** Whether there is a body whose length is not given. */
  isChunked = false;
  /** Whether the client leaves the connection open after this exchange (RFC 9112 §9.3). */
  isKeepAlive = true;
  expectsContinue = false;
  /** Whether Expect names something else, which is left to the app. */
  expectsOther = false;
  /** Whether Connection names `upgrade`, or the method is CONNECT. */
  isUpgrade = false;
  /** Whether it has a field by which proxies say how the request came to them. */
  isForwarded = false;

  /** Fields behind a chunked body, names and values in turn, once it is complete. None may change what the head said. */
  trailers: string[] | undefined = undefined;

  /** See `requestIdOf`. */
  requestId: string | undefined = undefined;

  constructor(names = noNames.slice(), values = noValues.slice()) {
    this.names = names;
    this.values = values;
  }

  get version(): HttpVersion {
    if (this.isHttp2) return '2.0';
    return this.minorVersion === 0 ? '1.0' : '1.1';
  }

  get hasBody(): boolean {
    return this.isChunked || this.contentLength > 0;
  }

  /** Whether the method is safe (RFC 9110 §9.2.1): the request changes nothing. */
  get isSafe(): boolean {
    const { method } = this;
    return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
  }
}
