/** Makes the servers of a worker, one for each socket, as the app's interface needs them. */

import type { Handler } from '../../app/handler.ts';
import { makeHandler, makeServer } from '../../app/interfaces.ts';
import { servedBy } from '../../app/names.ts';
import type { End } from '../../http/ends.ts';
import type { WaitOrder } from '../../http/host.ts';
import { HttpServer } from '../../http/server.ts';
import type { TlsEndpoint } from '../../http/tls/endpoint.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { isMultiprocess } from '../multiprocess.ts';
import { logConnectionFailure } from './failures.ts';
import { httpOptions, proxied } from './http-options.ts';
import { type Server, Serving } from './serving.ts';
import type { WorkerContext } from './worker.ts';

export interface ServersOptions {
  /** A connection has ended. */
  readonly onGone: () => void;
  readonly waitOrder: WaitOrder;
}

/** @throws AppLoadError if the export is not what the interface needs */
export function serveAny(context: WorkerContext, options: ServersOptions): Serving {
  if (servedBy(context.asked) === 'connections') return serveConnections(context, options);
  const { settings, sockets, log, observers, shortages, onError, answerClaims } = context;
  const handler = handlerOf(context);
  const { extras } = handler;
  const handle = context.observe(context.track(handler));
  const countConnections = () => serving.connections;
  const shared = {
    ...httpOptions(settings, log, shortages, onError, () => serving.running()),
    showFailure: context.showFailure,
    ...options,
    handle,
    extras,
    observers,
    answerClaims,
  };
  const serving: Serving = new Serving(
    sockets.map((socket) => new HttpServer({ ...shared, countConnections, tls: tlsFor(context, socket) })),
  );
  return serving;
}

/** @returns undefined for a socket without TLS */
export function tlsFor({ tls, asked }: WorkerContext, { isTls }: WorkerSocket): TlsEndpoint | undefined {
  return isTls === true ? tls?.open(servedBy(asked) === 'connections') : undefined;
}

/** @throws AppLoadError if the export is not what the interface needs */
export function serveConnections(context: WorkerContext, { onGone }: Pick<ServersOptions, 'onGone'>): Serving {
  const { app, asked, settings, sockets, log, observers, onBegin, onError } = context;
  const onFailure = (peer: End, error: unknown) => logConnectionFailure(log, peer, error, onError);
  const options = { onBegin, onFailure, onGone, observers, proxied: proxied(settings, log) };
  return new Serving<Server>(
    sockets.map((socket) => makeServer(app, asked, { ...options, tls: tlsFor(context, socket) })),
  );
}

/** @throws AppLoadError when the export is not what the interface needs */
export function handlerOf({ app, asked, settings, log, surroundings }: WorkerContext): Handler {
  return makeHandler(app, asked, {
    fixed: surroundings?.fixed,
    multithread: false,
    multiprocess: isMultiprocess(settings),
    onErrorLine: (line) => log.say('error', { source: 'wsgi.errors' }, line),
    onWarning: (warning) => log.say('warn', {}, warning),
  });
}
