/**
 * A client that has closed its half of the connection before its answer was complete, or after an upgrade: how long it keeps
 * its place (`departure.ts`), and what the app is told.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { Departure } from '../departure.ts';
import { ClientGone } from '../errors.ts';
import type { Exchange, TunnelEvents } from '../exchange.ts';
import type { Wire } from '../wire/wire.ts';
import type { Outgoing } from './outgoing.ts';
import type { Waits } from './waits.ts';

/** What it needs of its connection. */
export interface Deserted {
  readonly wire: Wire;
  readonly outgoing: Outgoing;
  readonly waits: Waits;
  readonly isServerDraining: boolean;
  /** Whether requests that came before the client's FIN still wait. */
  readonly isEndWaiting: boolean;
  /** Whether all further answers are dropped. */
  isMute: boolean;
  exchange: Exchange | undefined;
  isAnswering(exchange: Exchange): boolean;
  abandon(exchange: Exchange, reason: Error): void;
  /** Goes on to the next request, unless it must wait. */
  proceed(): void;
  cut(): void;
  close(): void;
}

export class Departing {
  private readonly connection: Deserted;
  private departure: Departure | undefined = undefined;
  private exchange: Exchange | undefined = undefined;
  private isTunnel = false;

  constructor(connection: Deserted) {
    this.connection = connection;
  }

  /** Whether the client may still be answered. */
  get isWaiting(): boolean {
    return this.departure !== undefined;
  }

  /** The client has closed its half, and its request is not answered yet. */
  begin(exchange: Exchange): void {
    const { connection } = this;
    const reason = halfClosed();
    if (exchange.endsWithClient) return this.endWithClient(exchange, reason);
    exchange.leave(reason);
    // The app was told, and may have answered at once.
    if (!connection.isAnswering(exchange)) return;
    this.exchange = exchange;
    this.departure = new Departure(() => this.check(exchange));
    connection.waits.beginTurn();
    connection.outgoing.watchStallAnew();
  }

  /** The same after an upgrade: the client can still be written to, but sends nothing more. */
  beginTunnel(events: TunnelEvents): void {
    const { outgoing, waits, wire } = this.connection;
    events.takeEnd();
    waits.beginTurn();
    this.isTunnel = true;
    outgoing.watchStallAnew();
    this.departure = new Departure(() => {
      if (wire.pendingBytes > 0) this.renew();
      else wire.end();
    });
  }

  /** The app has written something, or the client has taken something. */
  renew(): void {
    if (this.departure === undefined) return;
    this.departure.renew();
    const { outgoing, waits, wire } = this.connection;
    waits.beginTurn();
    // An app that keeps writing starts the second again, but not the time in which its client must take something.
    if (this.isTunnel && wire.pendingBytes > 0) outgoing.watchStall();
  }

  stop(): void {
    this.departure?.stop();
    this.departure = undefined;
  }

  /** An app in a thread was told of the client's end. */
  noteHeard(exchange: Exchange, isOver: boolean): void {
    if (this.exchange !== exchange || this.departure === undefined) return;
    if (isOver) this.endWithClient(exchange, exchange.leaveReason ?? halfClosed());
    else this.renew();
  }

  /** Its place is needed. */
  giveUp(): void {
    const { exchange } = this;
    if (exchange === undefined) this.connection.wire.end();
    else if (this.connection.isAnswering(exchange)) this.giveUpNow(exchange);
  }

  /** The app has written nothing for `departureMs` since its client's end, or since it last wrote. */
  private check(exchange: Exchange): void {
    const { connection } = this;
    if (!connection.isAnswering(exchange)) return;
    // A slow client still takes what was written, and the app may wait for that. A thread that computes has not been told of
    // the end.
    const isDeaf = exchange.isDeaf?.() === true && !connection.isServerDraining;
    if (isDeaf || connection.wire.pendingBytes > 0) return this.departure?.renew();
    this.giveUpNow(exchange);
  }

  private giveUpNow(exchange: Exchange): void {
    const { connection } = this;
    this.stop();
    connection.abandon(exchange, halfClosed());
    if (exchange.endsWithConnection) connection.cut();
    else connection.close();
  }

  /** The app counts its client as gone. */
  private endWithClient(exchange: Exchange, reason: Error): void {
    const { connection } = this;
    this.stop();
    exchange.mute();
    exchange.leave(reason);
    if (connection.isEndWaiting) return this.goOnMute(exchange, reason);
    if (exchange.endsWithConnection) return connection.cut();
    connection.close();
    connection.outgoing.watchStallAnew();
  }

  /** The requests behind this one still reach the app, but their answers are dropped. */
  private goOnMute(exchange: Exchange, reason: Error): void {
    const { connection } = this;
    connection.isMute = true;
    // By then the app has read what came of the body.
    setImmediate(() => {
      if (!connection.isAnswering(exchange)) return;
      connection.exchange = undefined;
      connection.abandon(exchange, reason);
      connection.proceed();
    });
  }
}

function halfClosed(): ClientGone {
  return new ClientGone('the client closed the connection, or its half of it');
}
