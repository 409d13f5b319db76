/**
 * The threaded class: as many requests at once as there are threads, each alone on its thread, which it may block. The main
 * thread accepts, reads, writes and keeps the time limits; it does not load the app.
 */

import type { AskedInterface } from '../../app/names.ts';
import { servedBy } from '../../app/names.ts';
import { SecureTcpServer } from '../../app/tcp/secure.ts';
import { TcpServer } from '../../app/tcp/tcp.ts';
import type { End } from '../../http/ends.ts';
import { HttpServer } from '../../http/server.ts';
import { threadEntry } from '../../ipc/entries.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { Intake } from '../accept/intake.ts';
import { readThreadCode, type ThreadCode } from '../thread-code.ts';
import { ThreadPool } from '../threads/pool.ts';
import { logConnectionFailure } from './failures.ts';
import { heldAnswers, httpOptions, proxied, readAhead } from './http-options.ts';
import { tlsFor } from './servers.ts';
import { type Server, Serving } from './serving.ts';
import type { Worker, WorkerClass, WorkerContext } from './worker.ts';

/** Reads the threads' code before the worker gives up its rights, and before it loads the app. */
export function threadedClass(): WorkerClass {
  const code = readThreadCode(threadEntry);
  return Object.assign((context: WorkerContext) => threadedWorker(context, code), { loadsApp: false });
}

function threadedWorker(context: WorkerContext, code: ThreadCode): Worker {
  const { settings, sockets, log, observe, observers, track, slot, shortages } = context;
  const intake = new Intake({ limit: settings.workerConnections, slot, shortages });
  const handOver = track((exchange) => pool.handle(exchange));
  const ahead = readAhead(settings, log, handOver);
  const handle = observe((exchange) => ahead.take(exchange));
  const held = heldAnswers();
  const makeServer = (socket: WorkerSocket) =>
    new HttpServer({
      ...httpOptions(settings, log, shortages, context.onError),
      showFailure: context.showFailure,
      handle,
      heldAnswers: held,
      waitOrder: intake.waitOrder,
      observers,
      tls: tlsFor(context, socket),
      answerClaims: context.answerClaims,
      countConnections: () => http.connections,
      onGone: () => intake.forget(),
      onTimeout: (exchange, ms, end) => pool.expire(exchange, ms, end),
    });
  const pool = new ThreadPool(context, code, intake, {
    onBegin: (exchange) => ahead.release(exchange),
    running: () => http.running(),
  });
  const makeRawServer = ({ isTls }: WorkerSocket) => {
    const options = {
      onBegin: context.onBegin,
      onFailure: (peer: End, error: unknown) => logConnectionFailure(log, peer, error, context.onError),
      onGone: () => intake.forget(),
      observers,
      proxied: proxied(settings, log),
      isRelayed: true,
    };
    const tls = isTls === true ? context.tls?.open(true) : undefined;
    const app = pool.connectionApp;
    return tls === undefined ? new TcpServer(app, options) : new SecureTcpServer(app, options, tls);
  };
  let raw: Serving | undefined;
  let http: Serving<HttpServer> = new Serving<HttpServer>([]);
  const all = (): Serving => raw ?? http;

  let isEnding = false;

  return {
    get interface() {
      return pool.found.interface;
    },
    get found() {
      return pool.found;
    },
    get serving() {
      return all();
    },
    threads: () => pool.appThreads(),
    whereItLoads: () => pool.whereItLoads(),
    async load() {
      await pool.start();
      if (servedBy(pool.found.interface as AskedInterface) === 'connections')
        raw = new Serving<Server>(sockets.map(makeRawServer));
      else http = new Serving(sockets.map(makeServer));
      const { ownLimits } = pool;
      if (ownLimits !== undefined) for (const server of http.servers) server.obey(ownLimits);
    },
    start: () => intake.open(sockets, all().servers, settings.backlog),
    get isEnding() {
      return isEnding;
    },
    hold: (ms) => intake.hold(ms),
    stopAccepting: (isStop) => intake.end(isStop, () => all().emptyQueue()),
    async drain(idleGraceMs) {
      await all().drain(idleGraceMs);
      isEnding = true;
      await pool.stop();
    },
  };
}
