/**
 * The threaded class: as many requests at once as there are threads, each alone on one, which it may block. The main thread
 * accepts, reads, writes and keeps time; the app is not loaded in it.
 */

import { HttpServer } from '../../http/server.ts';
import { threadEntry } from '../../ipc/entries.ts';
import { Intake } from '../accept/intake.ts';
import { closeIdle, emptyQueue } from '../accept/kernel-queue.ts';
import { readThreadCode, type ThreadCode } from '../thread-code.ts';
import { ThreadPool } from '../threads/pool.ts';
import { httpOptions, readAhead } from './http-options.ts';
import type { Worker, WorkerClass, WorkerContext } from './worker.ts';

/** Reads the threads' code: before rights are given up, and before the app. */
export function threadedClass(): WorkerClass {
  const code = readThreadCode(threadEntry);
  return Object.assign((context: WorkerContext) => threadedWorker(context, code), { loadsApp: false });
}

function threadedWorker(context: WorkerContext, code: ThreadCode): Worker {
  const { settings, sockets, log, observe, track, place, shortages } = context;
  const intake = new Intake({ limit: settings.workerConnections, place, shortages });
  const ahead = readAhead(
    settings,
    log,
    track((exchange) => pool.handle(exchange)),
  );
  const handle = observe((exchange) => ahead.take(exchange));
  const servers: HttpServer[] = sockets.map(
    () =>
      new HttpServer({
        ...httpOptions(settings, log, shortages),
        handle,
        waitOrder: intake.waitOrder,
        onGone: () => intake.forget(),
        onTimeout: (exchange, ms, end) => pool.expire(exchange, ms, end),
      }),
  );
  const pool = new ThreadPool(context, code, intake, (exchange) => ahead.release(exchange));
  let isDraining = false;
  let isHurried = false;

  return {
    get interface() {
      return pool.interface;
    },
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    load: () => pool.start(),
    start: () => intake.open(sockets, servers, settings.backlog),
    running: () => servers.flatMap((server) => server.running()),
    async stopAccepting(isStop) {
      const countAccepted = () => servers.reduce((sum, server) => sum + server.accepted, 0);
      if (intake.leave(isStop)) await emptyQueue(countAccepted, () => isHurried);
      intake.close();
    },
    async drain(idleGraceMs) {
      isDraining = true;
      const drained = Promise.all(servers.map((server) => server.drain(idleGraceMs)));
      if (isHurried) void closeIdle(servers);
      await drained;
      await pool.stop();
    },
    hurry() {
      isHurried = true;
      if (isDraining) void closeIdle(servers);
    },
  };
}
