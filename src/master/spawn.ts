/** Makes a worker process happen, and nothing else: what it is for is in its order. */

import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { openEnvelope, sendToWorker } from '../ipc/channel.ts';
import { type MasterMessage, orderVariable, type WorkerMessage, type WorkerOrder } from '../ipc/messages.ts';
import { claimPlace, releasePlace } from './board.ts';
import { needsDesk, takeSeat } from './desk.ts';

/** The process behind a child. */
export interface ChildProcess {
  readonly pid: number | undefined;
  send(message: MasterMessage): void;
  kill(): void;
}

export interface SpawnOptions {
  /** Its descriptors are this process's; the worker is told its own. */
  readonly order: WorkerOrder;
  readonly onMessage: (message: WorkerMessage) => void;
  /** Called once, also when the process could not even be started. */
  readonly onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/** The first descriptor after stdin, stdout, stderr and the IPC channel. */
const firstFd = 4;
/** The same extension as this file: compiled or not, worker and master are of one kind. */
const workerFile = fileURLToPath(new URL(`../worker/main${import.meta.url.slice(-3)}`, import.meta.url));

export function spawnWorker({ order, onMessage, onExit }: SpawnOptions): ChildProcess {
  const place = claimPlace();
  const inherited = order.sockets.flatMap((socket) => ('fd' in socket ? [socket.fd] : []));
  const boardFd = firstFd + inherited.length;
  // Sockets that are not inherited are shared: workers accept for themselves either way.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: workerFile,
    args: [],
    // A worker that read from the terminal would be stopped by it.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...inherited, ...(place === undefined ? [] : [place.fd])] as never,
  });
  const sockets = order.sockets.map((socket) =>
    'fd' in socket ? { ...socket, fd: firstFd + inherited.indexOf(socket.fd) } : socket,
  );
  const own: WorkerOrder = { ...order, sockets, ...(place === undefined ? {} : { place: { ...place, fd: boardFd } }) };
  const worker = cluster.fork({ [orderVariable]: JSON.stringify(own) });

  const seat = needsDesk(order) ? takeSeat(order, worker.process) : undefined;

  let hasExited = false;
  const exited = (code: number | null, signal: NodeJS.Signals | null) => {
    if (hasExited) return;
    hasExited = true;
    if (place !== undefined) releasePlace(place);
    seat?.bury();
    onExit(code, signal);
  };
  worker.on('message', (received: unknown) => {
    const message = openEnvelope<WorkerMessage>(received);
    if (message?.type === 'idle' || message?.type === 'taken') seat?.hear(message);
    else if (message !== undefined) onMessage(message);
  });
  worker.on('exit', (code: number | null, signal: string | null) => exited(code, signal as NodeJS.Signals | null));
  // A fork that failed never exits. Any other error here is of the channel, whose end the exit reports.
  worker.on('error', () => worker.process.pid === undefined && exited(null, null));

  return {
    pid: worker.process.pid,
    send: (message) => {
      const isLeaving = seat !== undefined && (message.type === 'retire' || message.type === 'quit');
      if (isLeaving) void seat.dismiss().then(() => sendToWorker(worker.process, message));
      else sendToWorker(worker.process, message);
    },
    // Not worker.kill(): that waits for a disconnect, which a blocked worker never makes.
    kill: () => void worker.process.kill('SIGKILL'),
  };
}
