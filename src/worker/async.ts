/** The async class: many requests at once on the event loop. Its workers accept on the shared sockets themselves. */

import type { Server } from 'node:net';
import { makeHandler } from '../app/interfaces.ts';
import { HttpServer } from '../http/server.ts';
import { httpOptions } from './http-options.ts';
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

  return {
    interface: 'wsgi',
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    async start() {
      for (const [index, socket] of sockets.entries())
        listeners.push(await listen(servers[index]!, socket, settings.backlog));
    },
    stopAccepting() {
      for (const listener of listeners) listener.close();
    },
    async drain() {
      await Promise.all(servers.map((server) => server.drain()));
    },
    hurry() {
      for (const server of servers) server.closeIdle();
    },
  };
}
