/**
 * The sync class: one request at a time, one per connection. The first connection shuts the gate until its answer is complete.
 * Others wait in the accept queue meanwhile, for an idle worker.
 */

import type { Handler } from '../../app/handler.ts';
import { findInterface } from '../../app/interfaces.ts';
import { WaitOrder } from '../../http/host.ts';
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

/**
 * A slow client does not hold up the worker for an answer of up to this size: the server keeps it, and the next request begins.
 */
const heldAnswerBytes = 1024 * 1024;

export function syncWorker(context: WorkerContext): Worker {
  const { settings, sockets, log, shortages } = context;
  const options = httpOptions(settings, log, shortages, context.onError, () => serving.running());
  const handler = handlerOf(context);
  const tracked = context.track(handler);
  const run: Handler = (exchange) => {
    ahead.release(exchange);
    return tracked(exchange);
  };
  const turns = new RequestTurns(run, (exchange, ms) => logTimeout(log, exchange, ms, { hasLeft: true }));
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
    hold(ms) {
      connections.gate?.shut();
      occupancy.hold(ms);
    },
    async stopAccepting(isStop) {
      // At a reload, other workers take the connections that wait.
      if (isStop) {
        // At first connections come one at a time, so that idle workers take them. Then this worker takes the whole queue, so
        // that it can end.
        await connections.untilIdle(longestEmptyingMs);
        turns.gather();
        await serving.emptyQueue(() => connections.arrived);
      }
      connections.gate?.close();
    },
    async drain(idleGraceMs) {
      await connections.untilNoneWait();
      await serving.drain(idleGraceMs);
      // Requests that still run have no client any more, and their time is short.
      await connections.untilIdle(departureMs);
    },
  };
}
