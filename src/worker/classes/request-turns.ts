/**
 * Whose turn it is in a sync worker: one request at a time, one per connection. A connection has the worker for itself while
 * its request is waited for, briefly, and until the app is done with it.
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
 * How long a connection that has brought no request yet keeps the worker for itself. Then others may come, and it is served
 * in its turn: a client that sends nothing, or its body slowly, costs this much of a worker, and not the whole timeout.
 */
const patienceMs = 25;

/**
 * Clients that gave up together wait in the accept queue one behind the other. Only the first of them holds the worker for
 * the second that it has: one that comes so soon after it, and has left as well, does not.
 */
const rowMs = 100;

export class RequestTurns {
  readonly connections: Turns<HttpServer>;
  /** Set before anything comes. */
  occupancy: Occupancy | undefined = undefined;
  private readonly handler: Handler;
  private readonly onOverdue: (exchange: Exchange, ms: number) => void;
  /** The connection whose request runs. */
  private running: Transport | undefined = undefined;
  /** Its request. */
  private current: Exchange | undefined = undefined;
  /** What the app has not returned from. */
  private atWork: Exchange | undefined = undefined;
  /** The newest connection, while its head and the body that is read ahead are waited for. */
  private awaited: object | undefined = undefined;
  private patience: NodeJS.Timeout | undefined = undefined;
  /** Requests that came late, while another ran. */
  private readonly late: Exchange[] = [];
  /** When the place of a request was taken whose client had left. */
  private letGoAt = Number.NEGATIVE_INFINITY;

  /** @param onOverdue told of a request that was given up after its client had gone */
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

  /** A connection will bring no request any more. */
  end(connection: object): void {
    if (connection === this.awaited) this.forgetAwaited();
    else if (connection === this.running) this.running = undefined;
    this.goOn();
  }

  forget(): void {
    this.occupancy?.leave();
    this.goOn();
  }

  /** The app is done with a request, or its time is over: one that does not listen may never be done. */
  giveUp(exchange: Exchange): void {
    if (this.atWork !== exchange) return;
    this.atWork = undefined;
    this.goOn();
  }

  /** From now on takes all that comes, and keeps it until its turn. */
  gather(): void {
    this.occupancy?.stop();
    this.connections.gather();
  }

  /** What an escaped error may come from. */
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
    // Pipelined requests behind it take effect, and none of them waits for this one.
    if (!(returned instanceof Promise)) return exchange.onAbort(() => this.letGo(exchange));
    // The app goes on after its client has left, and no second request may run beside it.
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
      return void setTimeout(() => this.holdToTime(exchange), Math.ceil(exchange.deadline - now)).unref();
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
    if (late === undefined) this.connections.goOn();
    else this.runLate(late);
  }
}
