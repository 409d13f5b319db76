/**
 * The sync class: one request at a time, one per connection. With the first connection the gate is shut, until its answer
 * is complete: whatever comes meanwhile waits in the kernel, for a worker that is idle.
 */

import type { Handler } from '../../app/handler.ts';
import { findInterface } from '../../app/interfaces.ts';
import { WaitOrder } from '../../http/h1/host.ts';
import { departureMs } from '../../http/limits.ts';
import { HttpServer } from '../../http/server.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { longestEmptyingMs } from '../accept/kernel-queue.ts';
import { Occupancy } from '../accept/occupancy.ts';
import { openTurnGate } from '../accept/open-gate.ts';
import { logTimeout } from './failures.ts';
import { heldAnswers, httpOptions, readAhead } from './http-options.ts';
import { RequestTurns } from './request-turns.ts';
import { handlerOf, tlsFor } from './servers.ts';
import { Serving } from './serving.ts';
import type { Worker, WorkerContext } from './worker.ts';

/** A client that takes up to this much slowly does not hold up the worker: it is answered, and the next one's turn has come. */
const heldAnswerBytes = 1024 * 1024;

export function syncWorker(context: WorkerContext): Worker {
  const { settings, sockets, log, shortages } = context;
  const options = httpOptions(settings, log, shortages, context.onError);
  const handler = handlerOf(context, true);
  const tracked = context.track(handler);
  const run: Handler = (exchange) => {
    ahead.release(exchange);
    return tracked(exchange);
  };
  const turns = new RequestTurns(run, (exchange, ms) => logTimeout(log, exchange, ms, undefined, true));
  const ahead = readAhead(settings, log, (exchange) => turns.begin(exchange));
  const handle = context.observe((exchange) => ahead.take(exchange));
  const waitOrder = new WaitOrder();
  const held = heldAnswers();
  const makeServer = (socket: WorkerSocket) =>
    new HttpServer({
      ...options,
      showFailure: context.showFailure,
      timeouts: { ...options.timeouts, keepAliveMs: 0 },
      heldAnswerBytes,
      heldAnswers: held,
      handle,
      extras: handler.extras,
      onTimeout(exchange, ms, end) {
        options.onTimeout?.(exchange, ms, end);
        turns.giveUp(exchange);
      },
      onLastRequest: (connection) => turns.end(connection),
      onGone: () => turns.forget(),
      waitOrder,
      observers: context.observers,
      tls: tlsFor(context, socket),
      answerClaims: context.answerClaims,
    });
  const serving: Serving<HttpServer> = new Serving(sockets.map(makeServer));
  const { servers } = serving;
  const { connections } = turns;
  const occupancy = new Occupancy({
    wanted: settings.workerConnections,
    servers,
    order: waitOrder,
    shortages,
    onTime: () => turns.goOn(),
  });
  turns.occupancy = occupancy;

  return {
    interface: findInterface(context.app, context.asked),
    serving,
    suspects: () => ({ all: turns.suspects(), runsOne: true }),
    async start() {
      const { backlog } = settings;
      connections.gate = await openTurnGate({
        sockets,
        servers,
        backlog,
        shortages,
        take: (...arrival) => connections.take(...arrival),
      });
      occupancy.measure();
    },
    async stopAccepting(isStop) {
      // Where others go on, they take what waits.
      if (isStop) {
        // As ever at first, so that who is idle serves; then the queue is taken at once, for its end to be near.
        await connections.untilIdle(longestEmptyingMs);
        turns.gather();
        await serving.emptyQueue(() => connections.arrived);
      }
      connections.gate?.close();
    },
    async drain(idleGraceMs) {
      await connections.untilNoneWait();
      await serving.drain(idleGraceMs);
      // What still runs runs for a client that has left, and not for long.
      await connections.untilIdle(departureMs);
    },
  };
}
