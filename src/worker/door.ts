/** Where a worker's connections come in. */

import type { Server } from 'node:net';
import { createListener } from '../http/accept.ts';
import type { HttpServer } from '../http/server.ts';
import type { WorkerSocket } from '../ipc/messages.ts';
import { listen } from './listen.ts';

export class Door {
  private readonly servers: readonly HttpServer[];
  private readonly sockets: readonly WorkerSocket[];
  private readonly backlog: number;
  private readonly listeners: Server[] = [];

  /** @param servers one for each socket */
  constructor(servers: readonly HttpServer[], sockets: readonly WorkerSocket[], backlog: number) {
    this.servers = servers;
    this.sockets = sockets;
    this.backlog = backlog;
  }

  async open(): Promise<void> {
    for (const [index, socket] of this.sockets.entries())
      this.listeners.push(await listen(createListener(this.servers[index]!), socket, this.backlog));
  }

  pause(): void {}

  resume(): void {}

  /** For good. */
  shut(): void {
    for (const listener of this.listeners) listener.close();
  }
}
