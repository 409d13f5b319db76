/** The sync class for raw connections: one at a time. Whoever else connects waits in the accept queue, for a worker that is idle. */

import { findInterface } from '../../app/interfaces.ts';
import { openTurnGate } from '../accept/open-gate.ts';
import { serveConnections } from './servers.ts';
import type { Server } from './serving.ts';
import { type Arrival, Turns } from './turns.ts';
import type { Worker, WorkerContext } from './worker.ts';

export function syncConnectionWorker(context: WorkerContext): Worker {
  const { sockets, shortages } = context;
  const { backlog } = context.settings;
  const serving = serveConnections(context, { onGone: () => turns.goOn() });
  const { servers } = serving;
  const turns = new Turns<Server>({
    isFree: () => serving.connections === 0,
    serve: (server, incoming, peer) => server.serve(incoming, peer),
  });
  return {
    interface: findInterface(context.app, context.asked),
    serving,
    suspects: () => ({ all: serving.suspects(), runsOne: true }),
    async start() {
      const take = (...arrival: Arrival<Server>) => turns.take(...arrival);
      turns.gate = await openTurnGate({ sockets, servers, backlog, shortages, take });
    },
    async stopAccepting(isStop) {
      // Where others go on, they take what waits.
      if (isStop) {
        turns.gather();
        await serving.emptyQueue(() => turns.arrived);
      }
      turns.gate?.close();
    },
    async drain(idleGraceMs) {
      // Those that wait, too, are told to finish as soon as they have their turn.
      const drained = serving.drain(idleGraceMs);
      await turns.untilNoneIsLeft();
      await drained;
    },
  };
}
