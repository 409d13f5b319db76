/**
 * Where connections come in, and how it is closed for a while. A worker that cannot serve a connection for now must not
 * accept it: another could. Node has no word for that, so the worker lets go of its listening sockets, which stay open in
 * the master, and is given them anew.
 */

import type { Server } from 'node:net';
import type { HttpServer } from '../http/server.ts';
import type { ServerHandle } from '../internals.ts';
import { sendToMaster } from '../ipc/channel.ts';
import type { WorkerSocket } from '../ipc/messages.ts';
import { listen, listenAgain } from './listen.ts';

export class Door {
  private readonly servers: readonly HttpServer[];
  private readonly sockets: readonly WorkerSocket[];
  private readonly backlog: number;
  private readonly listeners: (Server | undefined)[] = [];
  /** A socket that was shared through cluster is closed for all when the last worker lets go of it. */
  private readonly canPause: boolean;
  private isPaused = false;
  private isShut = false;

  /** @param servers one for each socket */
  constructor(servers: readonly HttpServer[], sockets: readonly WorkerSocket[], backlog: number) {
    this.servers = servers;
    this.sockets = sockets;
    this.backlog = backlog;
    this.canPause = sockets.every((socket) => 'fd' in socket);
  }

  async open(): Promise<void> {
    for (const [index, socket] of this.sockets.entries())
      this.listeners[index] = await listen(this.servers[index]!, socket, this.backlog);
  }

  /** What is in the kernel's queue stays there, for whoever comes first. */
  pause(): void {
    if (!this.canPause || this.isPaused || this.isShut) return;
    this.isPaused = true;
    this.closeAll();
  }

  resume(): void {
    if (!this.isPaused || this.isShut) return;
    this.isPaused = false;
    void sendToMaster({ type: 'listen_again' });
  }

  /** From the master, some time after it was asked: by then, it may be too late. */
  takeSocket(index: number, handle: ServerHandle): void {
    const server = this.servers[index];
    if (this.isShut || this.isPaused || server === undefined || this.listeners[index] !== undefined) handle.close();
    else this.listeners[index] = listenAgain(server, handle, this.backlog);
  }

  /** For good. */
  shut(): void {
    this.isShut = true;
    this.closeAll();
  }

  private closeAll(): void {
    for (const listener of this.listeners) listener?.close();
    this.listeners.fill(undefined);
  }
}
