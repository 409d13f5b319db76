/** `createEnviron`: an environ for a call of a wsgi app by hand. */

import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import type { Environ } from '../app/types.ts';
import { decodePath } from '../app/wsgi/environ.ts';
import { ErrorStream } from '../app/wsgi/error-stream.ts';
import { FileWrapper } from '../app/wsgi/file-wrapper.ts';
import { plainRequest, type RequestInput } from './request.ts';

/**
 * @param request a path, a `Request`, or method, URL, headers and body
 * @param own keys to add or to replace
 * @throws TypeError if `request` is not one of these
 */
export function createEnviron(request: string | URL | Request | RequestInput = '/', own: object = {}): Environ {
  const { method, target, headers, body, signal } = plainRequest(request);
  const [path = '', ...query] = target.split('?');
  const env: Environ = {
    REQUEST_METHOD: method,
    SCRIPT_NAME: '',
    PATH_INFO: decodePath(path),
    QUERY_STRING: query.join('?'),
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_PORT: '49152',
    RAW_URI: target,
    'wsgi.version': [1, 0],
    'wsgi.url_scheme': 'http',
    'wsgi.input': body instanceof ReadableStream ? Readable.fromWeb(body as WebStream) : readable(body),
    'wsgi.errors': new ErrorStream((line) => void process.stderr.write(`${line}\n`)),
    'wsgi.multithread': false,
    'wsgi.multiprocess': false,
    'wsgi.run_once': false,
    'wsgi.input_terminated': true,
    'wsgi.file_wrapper': FileWrapper,
    'wsgi.early_hints': () => {},
    'tsgun.signal': signal ?? new AbortController().signal,
    'tsgun.requestId': headers.get('x-request-id') ?? randomUUID(),
    'tsgun.waitUntil': () => {},
    'tsgun.extendDeadline': () => {},
  };
  for (const [name, value] of headers) {
    if (name.includes('_')) continue;
    const key = name.toUpperCase().replaceAll('-', '_');
    env[key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH' ? key : `HTTP_${key}`] = value;
  }
  return Object.assign(env, own);
}

function readable(bytes: Uint8Array | null): Readable {
  return Readable.from(bytes === null || bytes.byteLength === 0 ? [] : [Buffer.from(bytes)], { objectMode: false });
}
