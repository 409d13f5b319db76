/** The async class: many requests at once on the event loop. Its workers accept on the shared sockets themselves. */

import { findInterface, makeHandler } from '../../app/interfaces.ts';
import { HttpServer } from '../../http/server.ts';
import { Intake } from '../accept/intake.ts';
import { closeIdle, emptyQueue } from '../accept/kernel-queue.ts';
import { httpOptions } from './http-options.ts';
import type { Worker, WorkerContext } from './worker.ts';

export function asyncWorker(context: WorkerContext): Worker {
  const { settings, sockets, log, place, shortages } = context;
  const handler = makeHandler(context.app, settings.interface, {
    multithread: false,
    multiprocess: settings.workers > 1,
    onErrorLine: (line) => log.say('error', { source: 'wsgi.errors' }, line),
  });
  const handle = context.observe(context.track(handler));
  const intake = new Intake({ limit: settings.workerConnections, place, shortages });
  const onGone = () => intake.forget();
  const { waitOrder } = intake;
  const options = httpOptions(settings, log, shortages);
  const servers = sockets.map(() => new HttpServer({ ...options, handle, onGone, waitOrder }));
  let isDraining = false;
  let isHurried = false;

  return {
    interface: findInterface(context.app, settings.interface),
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    running: () => servers.flatMap((server) => server.running()),
    start: () => intake.open(sockets, servers, settings.backlog),
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
    },
    sayFarewell() {
      for (const server of servers) server.sayFarewell();
    },
    hurry() {
      isHurried = true;
      if (isDraining) void closeIdle(servers);
    },
  };
}
