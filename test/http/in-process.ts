/** A server in this process, on a port of its own: the HTTP engine and the WSGI interface, without master and worker. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Handler } from '../../src/app/handler.ts';
import type { App } from '../../src/app/types.ts';
import { wsgiHandler } from '../../src/app/wsgi/wsgi.ts';
import { createListener } from '../../src/http/accept.ts';
import { defaultLimits, defaultTimeouts, type Limits, type Timeouts } from '../../src/http/limits.ts';
import { HttpServer } from '../../src/http/server.ts';
import type { Target } from './observe.ts';

export interface InProcess extends Target {
  readonly server: HttpServer;
  /** What apps did wrong, in order. */
  readonly failures: unknown[];
  /** What apps wrote to `wsgi.errors`. */
  readonly errorLines: string[];
}

interface Options {
  readonly limits?: Limits;
  readonly timeouts?: Timeouts;
}

export async function openInProcess(app: App, options: Options = {}): Promise<InProcess> {
  const errorLines: string[] = [];
  const onErrorLine = (line: string) => void errorLines.push(line);
  return openHandler(wsgiHandler(app, { multithread: false, multiprocess: false, onErrorLine }), options, errorLines);
}

/** The same for a handler of any interface. */
export async function openHandler(
  handle: Handler,
  options: Options = {},
  errorLines: string[] = [],
): Promise<InProcess> {
  const failures: unknown[] = [];
  const server = new HttpServer({
    limits: options.limits ?? defaultLimits,
    timeouts: options.timeouts ?? defaultTimeouts,
    handle,
    extras: handle.extras,
    onFailure: (_, error) => failures.push(error),
  });
  const listener = createListener(server);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    server,
    failures,
    errorLines,
    host: '127.0.0.1',
    port,
    async close() {
      listener.close();
      const drained = server.drain(1000);
      server.destroy();
      await drained;
    },
  };
}
