/** A server in this process, on a port of its own: the HTTP engine and the WSGI interface, without master and worker. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { App } from '../../src/app/types.ts';
import { wsgiHandler } from '../../src/app/wsgi.ts';
import { defaultTimeouts, type Limits, type Timeouts } from '../../src/http/limits.ts';
import { HttpServer } from '../../src/http/server.ts';
import { conformanceLimits } from './conformance.ts';
import type { Target } from './observe.ts';

export interface InProcess extends Target {
  readonly server: HttpServer;
  /** What apps did wrong, in order. */
  readonly failures: unknown[];
}

export async function openInProcess(
  app: App,
  options: { limits?: Limits; timeouts?: Timeouts } = {},
): Promise<InProcess> {
  const failures: unknown[] = [];
  const server = new HttpServer({
    limits: options.limits ?? conformanceLimits,
    timeouts: options.timeouts ?? defaultTimeouts,
    handle: wsgiHandler(app, { multithread: false, multiprocess: false, onErrorLine: () => {} }),
    onFailure: (_, error) => failures.push(error),
  });
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    server.serve(socket, { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }),
  );
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    server,
    failures,
    host: '127.0.0.1',
    port,
    async close() {
      listener.close();
      const drained = server.drain();
      server.destroy();
      await drained;
    },
  };
}
