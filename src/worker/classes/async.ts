/** The async class: many requests, or connections, at once on the event loop. Its workers accept on the shared sockets themselves. */

import { findInterface } from '../../app/interfaces.ts';
import { Intake } from '../accept/intake.ts';
import { serveAny } from './servers.ts';
import type { Worker, WorkerContext } from './worker.ts';

export function asyncWorker(context: WorkerContext): Worker {
  const { settings, sockets, slot, shortages } = context;
  const intake = new Intake({ limit: settings.workerConnections, slot, shortages });
  const { waitOrder } = intake;
  const serving = serveAny(context, { onGone: () => intake.forget(), waitOrder });

  return {
    interface: findInterface(context.app, context.asked),
    serving,
    suspects: () => ({ all: serving.suspects(), runsOne: false }),
    start: () => intake.open(sockets, serving.servers, settings.backlog),
    hold: (ms) => intake.hold(ms),
    stopAccepting: (isStop) => intake.end(isStop, () => serving.emptyQueue()),
    drain: (idleGraceMs) => serving.drain(idleGraceMs),
  };
}
