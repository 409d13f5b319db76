/** A WSGI environ out of a request (PEP 3333, "environ Variables"). */

import { Writable } from 'node:stream';
import type { Exchange } from '../http/exchange.ts';
import { FileWrapper } from './file-wrapper.ts';
import { InputStream } from './input.ts';
import type { Environ } from './types.ts';

/** What is the same for all requests of a worker. */
export interface EnvironOptions {
  readonly multithread: boolean;
  readonly multiprocess: boolean;
  /** Takes a line that an app wrote to `wsgi.errors`. */
  readonly onErrorLine: (line: string) => void;
}

/** @returns a function that makes environs */
export function environMaker(options: EnvironOptions): (exchange: Exchange) => Environ {
  const errors = errorStream(options.onErrorLine);
  const version = [1, 0] as const;
  const { multithread, multiprocess } = options;

  return (exchange) => {
    const { head, carrier } = exchange;
    let input: InputStream | undefined;
    let signal: AbortSignal | undefined;
    const env: Environ = {
      REQUEST_METHOD: head.method,
      SCRIPT_NAME: '',
      PATH_INFO: decodePath(head.path),
      QUERY_STRING: head.query,
      SERVER_NAME: carrier.localAddress,
      SERVER_PORT: String(carrier.localPort),
      SERVER_PROTOCOL: head.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0',
      REMOTE_ADDR: carrier.remoteAddress,
      REMOTE_PORT: String(carrier.remotePort),
      RAW_URI: head.target,
      'wsgi.version': version,
      'wsgi.url_scheme': 'http',
      // Streams and signals cost more than the rest of a small request: they are made when asked for.
      get 'wsgi.input'() {
        input ??= new InputStream(exchange);
        return input;
      },
      set 'wsgi.input'(replacement) {
        Object.defineProperty(this, 'wsgi.input', { value: replacement, writable: true, enumerable: true });
      },
      'wsgi.errors': errors,
      'wsgi.multithread': multithread,
      'wsgi.multiprocess': multiprocess,
      'wsgi.run_once': false,
      'wsgi.input_terminated': true,
      'wsgi.file_wrapper': FileWrapper,
      'wsgi.early_hints': (headers) => exchange.sendEarlyHints(headers),
      get 'tsgun.signal'() {
        signal ??= abortSignal(exchange);
        return signal;
      },
    };
    const { names, values } = head;
    for (let index = 0; index < names.length; index++) {
      const key = names[index]!.environKey;
      if (key === undefined) continue;
      const before = env[key];
      if (before === undefined) env[key] = values[index]!;
      // Repeated fields make one value (RFC 9110 §5.3); cookies are joined their own way (RFC 6265 §5.4).
      else env[key] = `${before}${key === 'HTTP_COOKIE' ? '; ' : ', '}${values[index]}`;
    }
    // An absolute-form target overrules Host (RFC 9112 §3.2.2).
    if (head.host !== undefined) env.HTTP_HOST = head.host;
    return env;
  };
}

/** Percent-decoding to bytes, each a latin1 character. What is no valid escape stays as it is. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function abortSignal(exchange: Exchange): AbortSignal {
  const controller = new AbortController();
  exchange.onLeave((reason) => controller.abort(reason));
  return controller.signal;
}

function errorStream(onErrorLine: (line: string) => void): Writable {
  let partial = '';
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (partial + chunk.toString()).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) onErrorLine(line);
      done();
    },
  });
}
