/**
 * The threaded class: as many requests at once as there are threads, each alone on one, which it may block. The main thread
 * accepts, reads, writes and keeps time; the app is not loaded in it.
 */

import type { Server } from 'node:net';
import { HttpServer } from '../http/server.ts';
import { httpOptions } from './http-options.ts';
import { listen } from './listen.ts';
import { ThreadPool } from './thread-pool.ts';
import type { Worker, WorkerContext } from './worker.ts';

export function threadedWorker({ appReference, settings, sockets, log }: WorkerContext): Worker {
  const pool = new ThreadPool(appReference, settings, log);
  const servers = sockets.map(
    () =>
      new HttpServer({
        ...httpOptions(settings, log),
        handle: (exchange) => pool.handle(exchange),
        onTimeout: (exchange, ms, end) => pool.expire(exchange, ms, end),
      }),
  );
  const listeners: Server[] = [];

  return {
    interface: 'wsgi',
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    async start() {
      await pool.start();
      for (const [index, socket] of sockets.entries())
        listeners.push(await listen(servers[index]!, socket, settings.backlog));
    },
    stopAccepting() {
      for (const listener of listeners) listener.close();
    },
    async drain() {
      await Promise.all(servers.map((server) => server.drain()));
      await pool.stop();
    },
    hurry() {
      for (const server of servers) server.closeIdle();
    },
  };
}
threadedWorker.loadsApp = false;
