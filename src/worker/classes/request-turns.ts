/**
 * Gives turns to the requests of a sync worker: one at a time, one per connection. A connection has the worker to itself from
 * its arrival, which waits briefly for its request, until the app is done with that request.
 */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Handler } from '../../app/handler.ts';
import { inFreshContext } from '../../http/context.ts';
import { onPlaceFree } from '../../http/departure.ts';
import { ClientGone } from '../../http/errors.ts';
import type { Exchange, Transport } from '../../http/exchange.ts';
import type { HttpServer } from '../../http/server.ts';
import { type Suspect, suspect } from '../../http/suspect.ts';
import { takesEffect, withoutClient } from '../../http/unheard.ts';
import type { Occupancy } from '../accept/occupancy.ts';
import { type Arrival, Turns } from './turns.ts';

/**
 * How long a new connection without a request keeps the worker to itself. Then the worker takes others, and the connection is
 * served when its request comes. So a client that sends nothing, or a body slowly, costs a worker this much instead of the
 * whole timeout.
 */
const patienceMs = 25;

/**
 * Clients that give up at the same time wait in the accept queue one behind the other. The app may go on for a second after the
 * first of them has left. Another one that has also left, and comes this soon after it, does not get that second.
 */
const rowMs = 100;

export class RequestTurns {
  readonly connections: Turns<HttpServer>;
  /** Set before the first connection. */
  occupancy: Occupancy | undefined = undefined;
  private readonly handler: Handler;
  private readonly onOverdue: (exchange: Exchange, ms: number) => void;
  /** The connection whose request runs. */
  private running: Transport | undefined = undefined;
  /** Its request. */
  private current: Exchange | undefined = undefined;
  /** The request whose handler has not returned. */
  private atWork: Exchange | undefined = undefined;
  /** The newest connection, while the worker waits for its head and the body that is read ahead. */
  private awaited: object | undefined = undefined;
  private patience: NodeJS.Timeout | undefined = undefined;
  /** Requests that came while another one ran. */
  private readonly late: Exchange[] = [];
  /** When a request whose client had left last gave up its turn. */
  private letGoAt = Number.NEGATIVE_INFINITY;

  /** @param onOverdue is called with a request that was given up after its client had left */
  constructor(handler: Handler, onOverdue: (exchange: Exchange, ms: number) => void) {
    this.handler = handler;
    this.onOverdue = onOverdue;
    this.connections = new Turns({
      isFree: () => this.isFree,
      serve: (...arrival) => this.serve(...arrival),
      canTake: () => this.occupancy?.canTake !== false,
    });
  }

  begin(exchange: Exchange): void {
    const { transport } = exchange;
    if ((transport.connection ?? transport) === this.awaited) this.forgetAwaited();
    if (this.running === undefined && this.atWork === undefined) this.run(exchange);
    else this.late.push(exchange);
  }

  /** The connection will bring no more requests. */
  end(connection: object): void {
    if (connection === this.awaited) this.forgetAwaited();
    else if (connection === this.running) this.running = undefined;
    this.goOn();
  }

  forget(): void {
    this.occupancy?.leave();
    this.goOn();
  }

  /** The app is done with the request, or the request's time is over: an app that does not listen may never be done. */
  giveUp(exchange: Exchange): void {
    if (this.atWork !== exchange) return;
    this.atWork = undefined;
    this.goOn();
  }

  /** From now on takes every connection, and keeps it until its turn. */
  gather(): void {
    this.occupancy?.stop();
    this.connections.gather();
  }

  /** The requests that an escaped error may come from. */
  suspects(): Suspect[] {
    return this.running === undefined || this.current === undefined ? [] : [suspect(this.current)];
  }

  private get isFree(): boolean {
    return this.running === undefined && this.awaited === undefined && this.atWork === undefined;
  }

  private serve(...[server, incoming, peer]: Arrival<HttpServer>): void {
    this.occupancy?.enter();
    this.patience = setTimeout(() => {
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
    this.current = exchange;
    this.connections.shut();
    const returned = this.handler(exchange);
    exchange.onCancel((reason) => this.noteLeft(exchange, reason));
    // Without a promise, only the end of the answer shows that the app is done. Pipelined requests behind it do not wait for
    // it.
    if (!(returned instanceof Promise)) return exchange.onAbort(() => this.letGo(exchange));
    // The client has left and the app goes on. No second request may run beside it.
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

  /** Ends the request's turn. The app may still answer it, with effect. */
  private letGo(exchange: Exchange): void {
    this.letGoAt = performance.now();
    if (this.running === exchange.transport) this.running = undefined;
    if (this.atWork === exchange) this.atWork = undefined;
    this.goOn();
  }

  /** The server forgets a request together with its connection. The app may never return, so its time is limited here. */
  private holdToTime(exchange: Exchange): void {
    if (exchange.deadline === 0 || this.atWork !== exchange) return;
    const now = performance.now();
    if (exchange.deadline > now)
      return void setTimeout(() => this.holdToTime(exchange), Math.ceil(exchange.deadline - now)).unref();
    this.onOverdue(exchange, Math.round(now - exchange.startedAt));
    this.giveUp(exchange);
  }

  /** Requests of clients that may have left come behind the others. */
  private takeLate(): Exchange | undefined {
    const index = this.late.findIndex(({ leaveReason }) => leaveReason === undefined);
    return this.late.splice(Math.max(0, index), 1)[0];
  }

  private runLate(exchange: Exchange): void {
    if (!exchange.isGone) return inFreshContext(() => this.run(exchange));
    if (takesEffect(exchange, exchange.goneReason)) inFreshContext(() => this.run(withoutClient(exchange), false));
    this.goOn();
  }

  /** Begins the next request that waits, or lets the next connection come. */
  goOn(): void {
    if (!this.isFree) return;
    const late = this.takeLate();
    if (late === undefined) this.connections.goOn();
    else this.runLate(late);
  }
}
