/**
 * Raw connections in a worker: many at once in the async class; in the sync class one, and whoever else connects waits in
 * the kernel, for a worker that is idle. Not in threads: a socket cannot be given to one.
 */

import { TcpServer } from '../../app/tcp.ts';
import type { Settings } from '../../config/settings.ts';
import { ConfigError, report } from '../../errors.ts';
import type { End } from '../../http/ends.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import type { Logger } from '../../logger.ts';
import type { Gate } from '../accept/gate.ts';
import { Intake } from '../accept/intake.ts';
import { emptyQueue } from '../accept/kernel-queue.ts';
import { openTurnGate } from '../accept/open-gate.ts';
import type { Worker, WorkerClass, WorkerContext } from './worker.ts';

/** @throws ConfigError when the worker class has no place for a socket */
export function tcpWorker({ workerClass }: Settings): WorkerClass {
  if (workerClass === 'threaded')
    throw new ConfigError(
      'interface: tcp does not run in the threaded class, as a thread cannot be given a socket; take --worker-class async or sync',
    );
  return workerClass === 'sync' ? oneByOne : manyAtOnce;
}

export function logTcpFailure(log: Logger, { address, port }: End, error: unknown): void {
  const { message, stack } = report(error);
  const fields = {
    method: 'TCP',
    path: `${address}:${port}`,
    error: message,
    outcome: 'the connection was cut',
    stack,
  };
  log.event('error', 'request_failed', fields, 'the app failed a connection');
}

function serversOf({ app, sockets, log }: WorkerContext, onGone: () => void): TcpServer[] {
  return sockets.map(() => new TcpServer({ app, onFailure: (peer, error) => logTcpFailure(log, peer, error), onGone }));
}

/** Only the app knows which connections are idle; it is told to finish as soon as draining begins. */
const hurry = () => {};

function manyAtOnce(context: WorkerContext): Worker {
  const { settings, sockets, place, shortages } = context;
  const intake = new Intake({ limit: settings.workerConnections, place, shortages });
  const servers = serversOf(context, () => intake.forget());
  return {
    interface: 'tcp',
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    running: () => servers.flatMap((server) => server.running()),
    start: () => intake.open(sockets, servers, settings.backlog),
    async stopAccepting(isStop) {
      const countAccepted = () => servers.reduce((sum, server) => sum + server.accepted, 0);
      if (intake.leave(isStop)) await emptyQueue(countAccepted, () => false);
      intake.close();
    },
    async drain() {
      await Promise.all(servers.map((server) => server.drain()));
    },
    hurry,
  };
}

function oneByOne(context: WorkerContext): Worker {
  const { sockets, shortages } = context;
  const { backlog } = context.settings;
  const servers = serversOf(context, () => turns.end());
  const turns = new Turns();
  return {
    interface: 'tcp',
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    running: () => servers.flatMap((server) => server.running()),
    async start() {
      const take = (...arrival: Arrival) => turns.take(arrival);
      turns.gate = await openTurnGate({ sockets, servers, backlog, shortages, take });
    },
    async stopAccepting(isStop) {
      // Where others go on, they take what waits.
      if (isStop) {
        turns.gather();
        await emptyQueue(
          () => turns.arrived,
          () => false,
        );
      }
      turns.gate?.close();
    },
    async drain() {
      const drained = Promise.all(servers.map((server) => server.drain()));
      await turns.untilNoneIsLeft();
      await drained;
    },
    hurry,
  };
}

type Arrival = [server: TcpServer, incoming: Incoming, peer: End];

/** Whose turn it is. */
class Turns {
  gate: Gate | undefined = undefined;
  /** Connections so far. */
  arrived = 0;
  private isBusy = false;
  private isGathering = false;
  /** Those that were gathered for a stop. */
  private readonly waiting: Arrival[] = [];
  private onNoneLeft: (() => void) | undefined = undefined;

  take(arrival: Arrival): void {
    this.arrived++;
    if (this.isBusy) this.waiting.push(arrival);
    else this.serve(arrival);
  }

  /** A connection has ended. */
  end(): void {
    this.isBusy = false;
    const next = this.waiting.shift();
    if (next !== undefined) this.serve(next);
    else if (this.onNoneLeft !== undefined) this.onNoneLeft();
    else this.gate?.open();
  }

  /** From now on takes all that comes, and keeps it until its turn. */
  gather(): void {
    this.isGathering = true;
    this.gate?.open();
  }

  untilNoneIsLeft(): Promise<void> {
    return new Promise((resolve) => {
      this.onNoneLeft = resolve;
      if (!this.isBusy) resolve();
    });
  }

  private serve([server, incoming, peer]: Arrival): void {
    this.isBusy = true;
    if (!this.isGathering) this.gate?.shut();
    server.serve(incoming, peer);
  }
}
