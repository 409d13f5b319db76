/** `inject`: sends one request through the real engine, without a socket. */

import { Duplex } from 'node:stream';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { loadApp } from '../app/load.ts';
import { askedFor, servedBy } from '../app/names.ts';
import type { App } from '../app/types.ts';
import { milliseconds } from '../config/durations.ts';
import { ConfigError } from '../errors.ts';
import type { HttpServer } from '../http/server.ts';
import { AnswerReader } from './answer.ts';
import type { AnyApp, Apps } from './apps.ts';
import { inOptions } from './option-names.ts';
import { type PlainRequest, plainRequest, type RequestInput } from './request.ts';
import { httpServer, openLog } from './server.ts';
import { checkSettings, type ServerSettings } from './settings.ts';

/**
 * Answers a request as a server of `createServer` would, without a socket.
 * @param app a function, or `path[:export]`; any interface but tcp
 * @param request a path, a `Request`, or method, URL, headers and body
 * @param settings as for `createServer`
 * @returns the answer, when its head is there; an app that throws gets its request a 500, and `onError` the error
 * @throws ConfigError, AppLoadError, TypeError for what is no request, and Error where the app cuts the connection instead
 */
export function inject(
  app: string,
  request: string | URL | Request | RequestInput,
  settings?: ServerSettings,
): Promise<Response>;
export function inject(
  app: App,
  request: string | URL | Request | RequestInput,
  settings?: ServerSettings & { readonly interface?: 'auto' | 'wsgi' | undefined },
): Promise<Response>;
export function inject<I extends Exclude<keyof Apps, 'tcp'> = 'auto'>(
  app: Apps[I],
  request: string | URL | Request | RequestInput,
  settings?: ServerSettings & { readonly interface?: I | undefined },
): Promise<Response>;
export async function inject(
  given: AnyApp | string,
  request: string | URL | Request | RequestInput,
  settings: ServerSettings = {},
): Promise<Response> {
  const checked = checkSettings(settings, 'inject()');
  const asked = askedFor(checked.settings.interface, typeof given === 'string' ? given : '');
  if (servedBy(asked) !== 'requests')
    throw new ConfigError(
      'interface: inject() has a request for the app, which tcp apps do not take; createServer() does',
    );
  const plain = plainRequest(request);
  const head = await writeHead(plain);
  plain.signal?.throwIfAborted();
  const log = openLog(checked);
  let server: HttpServer;
  try {
    const app = typeof given === 'string' ? await loadApp(given) : given;
    server = await httpServer(app, asked, checked, log);
  } catch (error) {
    log.close();
    throw inOptions(error);
  }
  server.local = { address: 'localhost', port: '80' };
  const end = async () => {
    const timer = setTimeout(() => server.destroy(), milliseconds(checked.settings.gracefulTimeout));
    await server.drain(0);
    clearTimeout(timer);
    log.close();
  };
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader(plain.method === 'HEAD', {
      onResponse: resolve,
      onFailure: reject,
      onDone() {
        plain.signal?.removeEventListener('abort', abort);
        line.destroy();
        void end();
      },
    });
    const line = new Line(reader);
    const abort = () => {
      const { reason } = plain.signal as AbortSignal;
      reader.fail(reason instanceof Error ? reason : new Error(String(reason)));
    };
    plain.signal?.addEventListener('abort', abort, { once: true });
    server.serve(line, { address: '127.0.0.1', port: '49152' });
    line.push(head);
  });
}

/** The server's side of a connection without a socket. */
class Line extends Duplex {
  private readonly reader: AnswerReader;

  constructor(reader: AnswerReader) {
    super({ allowHalfOpen: true });
    this.reader = reader;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (this.reader.take(bytes)) return done();
    this.reader.onPull = () => {
      this.reader.onPull = undefined;
      done();
    };
  }

  override _final(done: () => void): void {
    this.reader.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.reader.end();
    done(error);
  }
}

/** With the body, whose length is sent. */
async function writeHead({ method, target, headers, body }: PlainRequest): Promise<Buffer> {
  const bytes = body instanceof ReadableStream ? new Uint8Array(await new Response(body).arrayBuffer()) : body;
  const length =
    bytes === null ? (/^(?:GET|HEAD|OPTIONS|TRACE|DELETE)$/.test(method) ? undefined : 0) : bytes.byteLength;
  if (length !== undefined) headers.set('content-length', String(length));
  headers.set('connection', 'close');
  const fields = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`, 'latin1');
  return bytes === null ? head : Buffer.concat([head, bytes]);
}
