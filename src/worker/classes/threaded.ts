/**
 * The threaded class: as many requests at once as there are threads, each alone on its thread, which it may block. The main
 * thread accepts, reads, writes and keeps the time limits; it does not load the app.
 */

import { HttpServer } from '../../http/server.ts';
import { threadEntry } from '../../ipc/entries.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { Intake } from '../accept/intake.ts';
import { readThreadCode, type ThreadCode } from '../thread-code.ts';
import { ThreadPool } from '../threads/pool.ts';
import { heldAnswers, httpOptions, readAhead } from './http-options.ts';
import { tlsFor } from './servers.ts';
import { Serving } from './serving.ts';
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
      countConnections: () => serving.connections,
      onGone: () => intake.forget(),
      onTimeout: (exchange, ms, end) => pool.expire(exchange, ms, end),
    });
  const serving: Serving<HttpServer> = new Serving(sockets.map(makeServer));
  const pool = new ThreadPool(context, code, intake, (exchange) => ahead.release(exchange));

  let isEnding = false;

  return {
    get interface() {
      return pool.found.interface;
    },
    get found() {
      return pool.found;
    },
    serving,
    threads: () => pool.appThreads(),
    async load() {
      await pool.start();
      const { ownLimits } = pool;
      if (ownLimits !== undefined) for (const server of serving.servers) server.obey(ownLimits);
    },
    start: () => intake.open(sockets, serving.servers, settings.backlog),
    get isEnding() {
      return isEnding;
    },
    stopAccepting: (isStop) => intake.end(isStop, () => serving.emptyQueue()),
    async drain(idleGraceMs) {
      await serving.drain(idleGraceMs);
      isEnding = true;
      await pool.stop();
    },
  };
}
