/**
 * The sync class: one request at a time, one per connection. With the first connection the gate is shut, until its answer
 * is complete: whatever comes meanwhile waits in the kernel, for a worker that is idle.
 */

import { setTimeout } from 'node:timers/promises';
import { findInterface, makeHandler } from '../../app/interfaces.ts';
import type { Handler } from '../../app/wsgi/wsgi.ts';
import { inFreshContext } from '../../http/context.ts';
import { onPlaceFree } from '../../http/departure.ts';
import type { End } from '../../http/ends.ts';
import { ClientGone } from '../../http/errors.ts';
import type { Exchange, Transport } from '../../http/exchange.ts';
import { WaitOrder } from '../../http/h1/host.ts';
import { departureMs } from '../../http/limits.ts';
import { HttpServer } from '../../http/server.ts';
import { takesEffect, withoutClient } from '../../http/unheard.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import type { Gate, Take } from '../accept/gate.ts';
import { closeIdle, emptyQueue, longestEmptyingMs } from '../accept/kernel-queue.ts';
import { Occupancy } from '../accept/occupancy.ts';
import { openTurnGate } from '../accept/open-gate.ts';
import { httpOptions, logTimeout, readAhead } from './http-options.ts';
import type { Worker, WorkerContext } from './worker.ts';

/**
 * How long a connection that has brought no request yet keeps the worker for itself. Then others may come, and it is served
 * in its turn: a client that sends nothing, or its body slowly, costs this much of a worker, and not the whole timeout.
 */
const patienceMs = 25;

/** A client that takes up to this much slowly does not hold up the worker: it is answered, and the next one's turn has come. */
const heldAnswerBytes = 1024 * 1024;

/**
 * Clients that gave up together wait in the accept queue one behind the other. Only the first of them holds the worker for
 * the second that it has: one that comes so soon after it, and has left as well, does not.
 */
const rowMs = 100;

export function syncWorker(context: WorkerContext): Worker {
  const { settings, sockets, log, shortages } = context;
  const handler = makeHandler(context.app, settings.interface, {
    multithread: false,
    multiprocess: true,
    onErrorLine: (line) => log.say('error', { source: 'wsgi.errors' }, line),
  });
  const options = httpOptions(settings, log, shortages);
  const tracked = context.track(handler);
  const run: Handler = (exchange) => {
    ahead.release(exchange);
    return tracked(exchange);
  };
  const turns = new Turns(run, (exchange, ms) => logTimeout(log, exchange, ms, undefined, true));
  const ahead = readAhead(settings, log, (exchange) => turns.begin(exchange));
  const handle = context.observe((exchange) => ahead.take(exchange));
  const waitOrder = new WaitOrder();
  const servers = sockets.map(
    () =>
      new HttpServer({
        ...options,
        timeouts: { ...options.timeouts, keepAliveMs: 0 },
        heldAnswerBytes,
        handle,
        onTimeout(exchange, ms, end) {
          options.onTimeout?.(exchange, ms, end);
          turns.giveUp(exchange);
        },
        onLastRequest: (connection) => turns.end(connection),
        onGone: () => turns.forget(),
        waitOrder,
      }),
  );
  const occupancy = new Occupancy({
    wanted: settings.workerConnections,
    servers,
    order: waitOrder,
    shortages,
    onTime: () => turns.goOn(),
  });
  turns.occupancy = occupancy;
  let isDraining = false;
  let isHurried = false;

  return {
    interface: findInterface(context.app, settings.interface),
    get requests() {
      return servers.reduce((sum, server) => sum + server.requests, 0);
    },
    running: () => servers.flatMap((server) => server.running()),
    async start() {
      const take: Take = (...arrival) => turns.take(...arrival);
      turns.gate = await openTurnGate({ sockets, servers, backlog: settings.backlog, shortages, take });
      occupancy.measure();
    },
    async stopAccepting(isStop) {
      // Where others go on, they take what waits.
      if (isStop) {
        // As ever at first, so that who is idle serves; then the queue is taken at once, for its end to be near.
        await turns.untilIdle(longestEmptyingMs);
        turns.gather();
        await emptyQueue(
          () => turns.arrived,
          () => isHurried,
        );
      }
      turns.gate?.close();
    },
    async drain(idleGraceMs) {
      await turns.untilNoneWait();
      isDraining = true;
      const drained = Promise.all(servers.map((server) => server.drain(idleGraceMs)));
      if (isHurried) void closeIdle(servers);
      await drained;
      // What still runs runs for a client that has left, and not for long.
      await turns.untilIdle(departureMs);
    },
    sayFarewell() {
      for (const server of servers) server.sayFarewell();
    },
    hurry() {
      isHurried = true;
      if (isDraining) void closeIdle(servers);
    },
  };
}

/** Whose turn it is. */
class Turns {
  /** Set before anything comes. */
  occupancy: Occupancy | undefined = undefined;
  /** Undefined until all of it is open. */
  gate: Gate | undefined = undefined;
  /** Connections so far. */
  arrived = 0;
  private readonly handler: Handler;
  private readonly onOverdue: (exchange: Exchange, ms: number) => void;
  /** The connection whose request runs. */
  private running: Transport | undefined = undefined;
  /** What the app has not returned from. */
  private atWork: Exchange | undefined = undefined;
  /** The newest connection, while its head and the body that is read ahead are waited for. */
  private awaited: Transport | undefined = undefined;
  private patience: NodeJS.Timeout | undefined = undefined;
  /** Requests that came late, while another ran. */
  private readonly late: Exchange[] = [];
  /** Connections that were gathered for a stop. */
  private readonly waiting: [HttpServer, Incoming, End][] = [];
  /** When the place of a request was taken whose client had left. */
  private letGoAt = Number.NEGATIVE_INFINITY;
  private isGathering = false;
  private onNoneWait: (() => void) | undefined = undefined;

  /** @param onOverdue told of a request that was given up after its client had gone */
  constructor(handler: Handler, onOverdue: (exchange: Exchange, ms: number) => void) {
    this.handler = handler;
    this.onOverdue = onOverdue;
  }

  take(server: HttpServer, incoming: Incoming, peer: End): void {
    this.arrived++;
    if (!this.isFree) this.waiting.push([server, incoming, peer]);
    else this.serve(server, incoming, peer);
  }

  begin(exchange: Exchange): void {
    if (exchange.transport === this.awaited) this.forgetAwaited();
    if (this.running === undefined && this.atWork === undefined) this.run(exchange);
    else this.late.push(exchange);
  }

  /** A connection will bring no request any more. */
  end(connection: Transport): void {
    if (connection === this.awaited) this.forgetAwaited();
    else if (connection === this.running) this.running = undefined;
    this.goOn();
  }

  forget(): void {
    this.occupancy?.leave();
    this.goOn();
  }

  /** Until nothing runs and nobody comes, or for `ms`. */
  async untilIdle(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    let before = -1;
    while (!(this.isFree && before === this.arrived) && performance.now() < deadline) {
      before = this.arrived;
      await setTimeout(1);
    }
  }

  /** The app is done with a request, or its time is over: one that does not listen may never be done. */
  giveUp(exchange: Exchange): void {
    if (this.atWork !== exchange) return;
    this.atWork = undefined;
    this.goOn();
  }

  /** From now on takes all that comes, and keeps it until its turn. */
  gather(): void {
    this.isGathering = true;
    this.occupancy?.stop();
    this.gate?.open();
  }

  untilNoneWait(): Promise<void> {
    return new Promise((resolve) => {
      if (this.waiting.length === 0) resolve();
      else this.onNoneWait = resolve;
    });
  }

  private get isFree(): boolean {
    return this.running === undefined && this.awaited === undefined && this.atWork === undefined;
  }

  private serve(server: HttpServer, incoming: Incoming, peer: End): void {
    if (!this.isGathering) this.gate?.shut();
    this.occupancy?.enter();
    this.patience = globalThis.setTimeout(() => {
      this.forgetAwaited();
      this.goOn();
    }, patienceMs);
    this.awaited = server.serve(incoming, peer);
  }

  private forgetAwaited(): void {
    clearTimeout(this.patience);
    this.awaited = undefined;
  }

  private run(exchange: Exchange, hasClient = true): void {
    if (hasClient) this.running = exchange.transport;
    if (!this.isGathering) this.gate?.shut();
    const returned = this.handler(exchange);
    exchange.onCancel((reason) => this.noteLeft(exchange, reason));
    if (!(returned instanceof Promise)) return;
    // A client that goes away does not end the app's work, and there is to be no other beside it.
    this.atWork = exchange;
    exchange.onAbort(() => this.holdToTime(exchange));
    onPlaceFree(exchange, () => this.letGo(exchange));
    void returned.then(() => this.giveUp(exchange));
  }

  private noteLeft(exchange: Exchange, reason: Error): void {
    if (!(reason instanceof ClientGone)) return;
    if (performance.now() - this.letGoAt < rowMs) this.letGo(exchange);
    exchange.onAbort(() => (this.letGoAt = performance.now()));
  }

  /** Others need not wait for it any more; it may yet be answered, and take effect. */
  private letGo(exchange: Exchange): void {
    this.letGoAt = performance.now();
    if (this.running === exchange.transport) this.running = undefined;
    if (this.atWork === exchange) this.atWork = undefined;
    this.goOn();
  }

  /** With the connection the server has forgotten the request, whose app may never return. */
  private holdToTime(exchange: Exchange): void {
    if (exchange.deadline === 0 || this.atWork !== exchange) return;
    const now = performance.now();
    if (exchange.deadline > now)
      return void globalThis.setTimeout(() => this.holdToTime(exchange), Math.ceil(exchange.deadline - now)).unref();
    this.onOverdue(exchange, Math.round(now - exchange.startedAt));
    this.giveUp(exchange);
  }

  /** Whoever may have left comes behind those that wait. */
  private takeLate(): Exchange | undefined {
    const index = this.late.findIndex(({ leaveReason }) => leaveReason === undefined);
    return this.late.splice(Math.max(0, index), 1)[0];
  }

  private runLate(exchange: Exchange): void {
    if (!exchange.isGone) return inFreshContext(() => this.run(exchange));
    if (takesEffect(exchange, exchange.goneReason)) inFreshContext(() => this.run(withoutClient(exchange), false));
    this.goOn();
  }

  /** Takes up what waits for its turn, or lets the next one come. */
  goOn(): void {
    if (!this.isFree) return;
    const late = this.takeLate();
    if (late !== undefined) return this.runLate(late);
    const next = this.waiting.shift();
    if (next !== undefined) this.serve(...next);
    else if (this.occupancy?.canTake !== false) this.gate?.open();
    if (this.waiting.length === 0) this.onNoneWait?.();
  }
}
