/**
 * Accepts for sync workers if Node's internals are missing or off: without them, a worker cannot stop accepting while it
 * works. Only then does the master touch connections, with documented means of Node, at half the rate.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { sendConnection } from '../../ipc/channel.ts';
import type { WorkerMessage } from '../../ipc/messages.ts';
import type { WorkerOrder, WorkerSocket } from '../../ipc/order.ts';
import { Dispatch, type Dispatched } from './dispatch.ts';

type Process = Parameters<typeof sendConnection>[0];
type Arrival = { readonly address: string; readonly socket: Socket };

/** A worker that is accepted for. */
export interface Registration {
  hear(message: WorkerMessage): void;
  /** The worker is about to retire; resolves when it has the connections that it must still serve. */
  dismiss(): Promise<void>;
  /** Its process has ended. */
  reap(): void;
}

/** How long the last worker's leaving may wait for an empty accept queue: if clients keep connecting, it never is. */
const longestEmptyingMs = 250;

export class FallbackAcceptor {
  private arrived = 0;
  private dispatch: Dispatch<Arrival, Process> | undefined = undefined;
  private readonly servers = new Map<string, Server>();

  /** @returns nothing for a worker that accepts for itself */
  register({ settings, sockets }: WorkerOrder, worker: Process): Registration | undefined {
    const isNeeded = settings.workerClass === 'sync' && sockets.some((socket) => !('fd' in socket));
    if (!isNeeded) return undefined;
    this.dispatch ??= new Dispatch(settings.backlog);
    const { dispatch } = this;
    return {
      hear: (message) => {
        if (message.type === 'idle') {
          for (const socket of sockets) this.listenAt(socket, settings.backlog, dispatch);
          dispatch.noteIdle(worker, message.isIdle);
        } else if (message.type === 'taken') dispatch.noteTaken(worker)?.socket.destroy();
        send(dispatch.next());
      },
      dismiss: () => this.dismiss(worker, dispatch),
      reap() {
        dispatch.reap(worker);
        send(dispatch.next());
      },
    };
  }

  private async dismiss(worker: Process, dispatch: Dispatch<Arrival, Process>): Promise<void> {
    if (!dispatch.dismiss(worker)) return;
    const closing = [...this.servers.values()];
    this.servers.clear();
    // One connection comes in each turn of the loop, from all that the kernel has.
    const deadline = performance.now() + longestEmptyingMs;
    let before = -1;
    while (before !== this.arrived && performance.now() < deadline) {
      before = this.arrived;
      send(dispatch.leaveTo(worker));
      await setImmediate();
      await setImmediate();
    }
    for (const server of closing) server.close();
    send(dispatch.leaveTo(worker));
  }

  private listenAt(socket: WorkerSocket, backlog: number, dispatch: Dispatch<Arrival, Process>): void {
    const { address } = socket;
    if ('fd' in socket || this.servers.has(address)) return;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.arrived++;
      socket.on('error', () => {});
      // As many wait as the kernel would hold; further clients are refused at once.
      if (!dispatch.arrive({ address, socket })) socket.destroy();
      send(dispatch.next());
    });
    this.servers.set(address, server.listen({ ...socket, backlog }));
  }
}

function send(sent: readonly Dispatched<Arrival, Process>[]): void {
  for (const { connection, to } of sent) sendConnection(to, connection.address, connection.socket);
}
