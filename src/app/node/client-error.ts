/**
 * The errors of `clientError`, which an `http.Server` passes to its listeners. The codes are those of Node and its parser: apps
 * choose a status by them. If the two parsers differ, the nearest code is taken. Pure.
 */

import type { HttpError } from '../../http/errors.ts';

/** An `HttpError`, or one that has come from the main thread: then its text is all that is left. */
export type ClientFault = Error & Partial<Pick<HttpError, 'status' | 'packet'>>;

/** By the text of our own error. */
export const codes: Readonly<Record<string, string>> = {
  'malformed method': 'HPE_INVALID_METHOD',
  'no such method': 'HPE_INVALID_METHOD',
  'malformed request line': 'HPE_INVALID_METHOD',
  'malformed request target': 'HPE_INVALID_URL',
  'CONNECT needs host:port for a target': 'HPE_INVALID_URL',
  'malformed HTTP version': 'HPE_INVALID_VERSION',
  'only HTTP/1.1 and HTTP/1.0 are served': 'HPE_INVALID_VERSION',
  'a line must end in CRLF': 'HPE_CR_EXPECTED',
  'malformed header field name': 'HPE_INVALID_HEADER_TOKEN',
  'malformed header field value': 'HPE_INVALID_HEADER_TOKEN',
  'malformed Content-Length': 'HPE_INVALID_CONTENT_LENGTH',
  'more than one Content-Length': 'HPE_UNEXPECTED_CONTENT_LENGTH',
  'both Transfer-Encoding and Content-Length': 'HPE_INVALID_TRANSFER_ENCODING',
  'HTTP/1.0 has no Transfer-Encoding': 'HPE_INVALID_TRANSFER_ENCODING',
  'malformed Transfer-Encoding': 'HPE_INVALID_TRANSFER_ENCODING',
  'chunked more than once': 'HPE_INVALID_TRANSFER_ENCODING',
  'chunked must come last': 'HPE_INVALID_TRANSFER_ENCODING',
  'the only transfer coding served is chunked': 'HPE_INVALID_TRANSFER_ENCODING',
  'malformed chunk size': 'HPE_INVALID_CHUNK_SIZE',
  'a chunk-size line is too long': 'HPE_INVALID_CHUNK_SIZE',
  'a chunk must end in CRLF': 'HPE_STRICT',
  'too many chunk extensions': 'HPE_CHUNK_EXTENSIONS_OVERFLOW',
  'the request ended too early': 'HPE_INVALID_EOF_STATE',
};

/** For all other errors of this status. */
const codesOfStatus: Readonly<Record<number, string>> = {
  400: 'HPE_USER',
  408: 'ERR_HTTP_REQUEST_TIMEOUT',
  414: 'HPE_HEADER_OVERFLOW',
  431: 'HPE_HEADER_OVERFLOW',
};

/** @returns undefined for errors that Node answers by itself, or has no limit for */
export function codeOf({ status, message }: ClientFault): string | undefined {
  return codes[message] ?? codesOfStatus[status ?? 0];
}

/** With Node's own message where listeners are likely to look at it. */
export function clientError(error: ClientFault, code: string): Error {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return Object.assign(new Error('Request timeout', { cause: error }), { code });
  return Object.assign(new Error(`Parse Error: ${error.message}`, { cause: error }), {
    code,
    reason: error.message,
    bytesParsed: 0,
    rawPacket: Buffer.from(error.packet ?? []),
  });
}
