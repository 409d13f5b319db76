/**
 * Accepts for sync workers where Node's internals are not to be had: without them, a worker cannot stop accepting while it
 * is at work. Only then does the master touch connections, by what Node documents, and at half the rate.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { sendConnection } from '../../ipc/channel.ts';
import type { WorkerMessage, WorkerOrder, WorkerSocket } from '../../ipc/messages.ts';
import { Dispatch } from './dispatch.ts';

type Process = Parameters<typeof sendConnection>[0];
type Arrival = { readonly address: string; readonly socket: Socket };

/** A worker's place at the desk. */
export interface Seat {
  hear(message: WorkerMessage): void;
  /** It is about to be told to leave; resolves when it has what it must still serve. */
  dismiss(): Promise<void>;
  /** Its process has ended. */
  bury(): void;
}

export function needsDesk({ settings, sockets }: WorkerOrder): boolean {
  return settings.workerClass === 'sync' && sockets.some((socket) => !('fd' in socket));
}

/** Where clients connect faster than this, the queue is never empty. */
const longestEmptyingMs = 250;

let arrived = 0;
let dispatch: Dispatch<Arrival, Process> | undefined;
const servers = new Map<string, Server>();

export function takeSeat({ settings, sockets }: WorkerOrder, worker: Process): Seat {
  dispatch ??= new Dispatch(settings.backlog);
  const desk = dispatch;
  const send = (sent: ReturnType<typeof desk.next>) => {
    for (const { connection, to } of sent) sendConnection(to, connection.address, connection.socket);
  };
  const accept = (arrival: Arrival) => {
    arrived++;
    arrival.socket.on('error', () => {});
    // As many as the kernel would keep waiting; who comes then learns at once that it is in vain.
    if (!desk.arrive(arrival)) arrival.socket.destroy();
    send(desk.next());
  };
  return {
    hear(message) {
      if (message.type === 'idle') {
        for (const socket of sockets) listenAt(socket, settings.backlog, accept);
        desk.noteIdle(worker, message.isIdle);
      } else if (message.type === 'taken') desk.noteTaken(worker)?.socket.destroy();
      send(desk.next());
    },
    async dismiss() {
      if (!desk.dismiss(worker)) return;
      const closing = [...servers.values()];
      servers.clear();
      // One connection comes in each turn of the loop, from all that the kernel has.
      const deadline = performance.now() + longestEmptyingMs;
      let before = -1;
      while (before !== arrived && performance.now() < deadline) {
        before = arrived;
        send(desk.leaveTo(worker));
        await setImmediate();
        await setImmediate();
      }
      for (const server of closing) server.close();
      send(desk.leaveTo(worker));
    },
    bury() {
      desk.bury(worker);
      send(desk.next());
    },
  };
}

function listenAt(socket: WorkerSocket, backlog: number, accept: (arrival: Arrival) => void): void {
  const { address } = socket;
  if ('fd' in socket || servers.has(address)) return;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    accept({ address, socket }),
  );
  servers.set(address, server.listen({ ...socket, backlog }));
}
