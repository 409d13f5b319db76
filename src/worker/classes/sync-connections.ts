/** The sync class for raw connections: one at a time. Other clients wait in the accept queue, for an idle worker. */

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
      // At a reload, other workers take the connections that wait.
      if (isStop) {
        turns.gather();
        await serving.emptyQueue(() => turns.arrived);
      }
      turns.gate?.close();
    },
    async drain(idleGraceMs) {
      // Connections that wait for a turn also end as soon as they have had it.
      const drained = serving.drain(idleGraceMs);
      await turns.untilNoneIsLeft();
      await drained;
    },
  };
}
