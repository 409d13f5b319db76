/** The async class: many requests at once on the event loop. Its workers accept on the shared sockets themselves. */

import type { Server } from 'node:net';
import { findInterface, makeHandler } from '../app/interfaces.ts';
import { createListener } from '../http/accept.ts';
import { HttpServer } from '../http/server.ts';
import { httpOptions } from './http-options.ts';
import { closeIdle, emptyQueue } from './leave.ts';
import { listen } from './listen.ts';
import type { Worker, WorkerContext } from './worker.ts';

export function asyncWorker(context: WorkerContext): Worker {
  const { settings, sockets, log } = context;
  const handle = makeHandler(context.app, settings.interface, {
    multithread: false,
    multiprocess: settings.workers > 1,
    onErrorLine: (line) => log.say('error', { source: 'wsgi.errors' }, line),
  });
  const servers = sockets.map(() => new HttpServer({ ...httpOptions(settings, log), handle }));
  const listeners: Server[] = [];
  let isDraining = false;
  let isHurried = false;

  return {
    interface: findInterface(context.app, settings.interface),
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    running: () => servers.flatMap((server) => server.running()),
    async start() {
      for (const [index, socket] of sockets.entries())
        listeners.push(await listen(createListener(servers[index]!), socket, settings.backlog));
    },
    async stopAccepting() {
      const countAccepted = () => servers.reduce((sum, server) => sum + server.accepted, 0);
      await emptyQueue(countAccepted, () => isHurried);
      for (const listener of listeners) listener.close();
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
