/**
 * Every connection of one worker, and what they share: limits, the handler, a coarse clock and the sweep that enforces
 * deadlines. Accepts nothing itself: sockets are handed to it, so that the worker classes can differ in how they come.
 */

import type { Duplex } from 'node:stream';
// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { ConnectionHandle } from '../node/handles.ts';
import { type End, nowhere, plainScheme, type Scheme } from './ends.ts';
import type { Exchange } from './exchange.ts';
import type { Extras } from './extras.ts';
import { Farewells } from './farewells.ts';
import type { Forwarding } from './forwarding/forwarding.ts';
import { Connection } from './h1/connection.ts';
import { Workspaces } from './h1/workspace.ts';
import { H2Connection, type Http2Events } from './h2/connection.ts';
import type { HeldAnswers } from './held-answers.ts';
import { type Host, type OnTimeout, type ShowFailure, type Waiting, WaitOrder } from './host.ts';
import { Leftovers } from './leftovers.ts';
import { type Limits, maxHeldBytes, type OwnLimits, type Timeouts } from './limits.ts';
import { type Member, MemberList } from './member-list.ts';
import { Observers } from './observers.ts';
import { opener } from './opener.ts';
import type { Proxied } from './proxy-protocol/proxied.ts';
import { detailsOf, type RequestDetails, type RunningRequest, runningOf } from './request-details.ts';
import type { HttpServerOptions } from './server-options.ts';
import { type Suspect, suspect } from './suspect.ts';
import { Sweep, type Swept } from './sweep.ts';
import type { AnswerClaims } from './wire/answer-claims.ts';
import type { OpenWire } from './wire/open-wire.ts';
import type { Incoming } from './wire/wire.ts';

/** A connection of any version, as the server sees it. */
interface Served extends Waiting, Member, Swept {
  readonly exchanges: readonly Exchange[];
  /** See `Suspect`. Undefined if several requests would share it. */
  readonly asyncId: number | undefined;
  readonly isUpgraded: boolean;
  beginDrain(): void;
  close(): void;
  sayFarewell(): boolean;
  tellUnfinished(): void;
  /** The process is about to end. Absent if the end of the connection never marks the end of an answer. */
  cutUnfinished?(): void;
}

export class HttpServer implements Host {
  limits: Limits;
  timeouts: Timeouts;
  readonly heldAnswerBytes: number;
  readonly heldAnswers: HeldAnswers | undefined;
  readonly handle: (exchange: Exchange) => void | Promise<void>;
  readonly onFailure: (exchange: Exchange, error: unknown, isLate?: boolean) => void;
  readonly showFailure: ShowFailure | undefined;
  readonly onTimeout: OnTimeout;
  isDraining = false;
  /** What an idle connection gets while draining. */
  idleGraceMs = 0;
  /** Answers completed. */
  requests = 0;
  /** Connections so far. */
  accepted = 0;
  local: End = nowhere;
  readonly scheme: Scheme;

  readonly onLastRequest: ((connection: object) => void) | undefined;
  readonly waitOrder: WaitOrder;
  readonly answerClaims: AnswerClaims | undefined;
  /** They hear of every request. */
  readonly observers: Observers;
  readonly forwarding: Forwarding | undefined;
  readonly requestIdHeader: string;
  readonly extras: Extras | undefined;
  /** Whether a client is known as soon as it has connected. */
  private readonly isOpen: boolean;
  private readonly open: OpenWire;
  private readonly countConnections: () => number;
  private maxConnections = Number.POSITIVE_INFINITY;
  private readonly onGone: (() => void) | undefined;
  private readonly connections = new MemberList<Served>();
  private readonly http2: Http2Events | undefined;
  /** Complete answers that the kernel has not taken yet. */
  private readonly untaken = new Set<Exchange>();
  readonly workspaces = new Workspaces(this);
  private readonly leftovers = new Leftovers();
  private readonly farewells = new Farewells();
  private readonly sweep: Sweep;
  private onEmpty: (() => void) | undefined = undefined;

  constructor(options: HttpServerOptions) {
    const { limits, timeouts, handle, onFailure, onTimeout, onLastRequest, onGone, waitOrder } = options;
    this.limits = limits;
    this.timeouts = timeouts;
    this.heldAnswerBytes = options.heldAnswerBytes ?? 0;
    this.heldAnswers = options.heldAnswers;
    this.handle = handle;
    this.onFailure = onFailure;
    this.showFailure = options.showFailure;
    this.onTimeout = onTimeout ?? ((_exchange, _ms, end) => end());
    this.sweep = new Sweep(this.connections, timeouts.requestMs !== 0);
    this.onLastRequest = onLastRequest;
    this.onGone = onGone;
    this.waitOrder = waitOrder ?? new WaitOrder();
    this.answerClaims = options.answerClaims;
    this.observers = options.observers ?? new Observers();
    this.scheme = options.tls === undefined ? plainScheme : 'https';
    this.http2 = options.http2;
    this.open = opener(options, (connection, socket) => this.speakHttp2(connection, socket));
    this.forwarding = options.forwarding;
    this.requestIdHeader = options.requestIdHeader ?? 'x-request-id';
    this.extras = options.extras;
    this.countConnections = options.countConnections ?? (() => this.connections.size);
    if (options.extras?.own !== undefined) this.obey(options.extras.own);
    this.isOpen =
      options.tls === undefined && options.proxyProtocol === undefined && options.http2?.knowing === undefined;
  }

  /** Uses the limits that the app has set on its own server. Called before the first connection. */
  obey({ fieldCount = this.limits.fieldCount, maxConnections, ...timeouts }: OwnLimits): void {
    this.limits = { ...this.limits, fieldCount };
    this.timeouts = { ...this.timeouts, ...timeouts };
    if (maxConnections !== undefined) this.maxConnections = maxConnections;
  }

  /** Serves a new connection. @returns undefined if it was turned away */
  serve(incoming: Incoming, remote: End): Connection | undefined {
    this.accepted++;
    if (this.maxConnections !== Number.POSITIVE_INFINITY && this.countConnections() >= this.maxConnections)
      return this.drop(incoming, remote);
    const connection = new Connection(this, incoming, remote, this.open);
    this.connections.add(connection);
    if (this.isOpen) this.extras?.takeConnection(connection);
    return connection;
  }

  private drop(incoming: Incoming, remote: End): undefined {
    if (incoming instanceof ConnectionHandle) incoming.handle.close();
    else incoming.destroy();
    // Later, because the caller has not counted this connection yet.
    setImmediate(() => this.onGone?.());
    this.extras?.drop({ local: this.local, remote });
    return undefined;
  }

  /** What the client has sent until now is in the socket. */
  private speakHttp2(connection: Proxied, socket: Duplex): void {
    // During a drain, or at the end of the server, it may be gone.
    if (!(connection instanceof Connection) || !this.connections.delete(connection)) return void socket.destroy();
    connection.giveUp();
    const next = new H2Connection(this, this.http2!, socket, connection.ends, connection);
    this.connections.add(next);
    if (this.isDraining) next.beginDrain();
  }

  /** The coarse clock: milliseconds, as of the last sweep. */
  get now(): number {
    return this.sweep.now;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Connections that speak another protocol now. */
  get upgradedCount(): number {
    let count = 0;
    for (const { isUpgraded } of this.connections) if (isUpgraded) count++;
    return count;
  }

  /** The requests that are not answered yet. */
  running(): RunningRequest[] {
    const now = performance.now();
    return this.exchanges().map((exchange) => runningOf(exchange, now));
  }

  private exchanges(): Exchange[] {
    return [...this.connections].flatMap(({ exchanges }) => exchanges);
  }

  /** As `running`, with more details of each. */
  details(): RequestDetails[] {
    const now = performance.now();
    return this.exchanges().map((exchange) => detailsOf(exchange, now));
  }

  /** The requests that an escaped error may come from. */
  suspects(): Suspect[] {
    return [...this.connections].flatMap(({ exchanges, asyncId }) =>
      exchanges.map((exchange) => suspect(exchange, asyncId)),
    );
  }

  /** It is answered, or its connection was given away. */
  countRequest(exchange: Exchange): void {
    this.requests++;
    if (exchange.onOver !== undefined || exchange.observers !== undefined) this.tellOver(exchange);
  }

  /** A large answer is over when its client has taken it: until then it may be lost. */
  private tellOver(exchange: Exchange): void {
    const { transport } = exchange;
    if (transport.pendingBytes < maxHeldBytes) return exchange.tellOver();
    this.untaken.add(exchange);
    transport.whenTaken((error) => {
      this.untaken.delete(exchange);
      exchange.isLost = error !== undefined;
      exchange.tellOver();
    });
  }

  /** The process is about to end: observers hear now of the requests that are not over. */
  tellUnfinished(): void {
    for (const connection of this.connections) connection.tellUnfinished();
    for (const exchange of this.untaken) {
      exchange.outcome = 'cut';
      exchange.tellObservers();
    }
  }

  noteLeft(exchange: Exchange): void {
    this.leftovers.add(exchange);
  }

  waitFor(work: Promise<void>): void {
    this.leftovers.addWork(work);
  }

  /** It speaks another protocol from now on, while the server drains. */
  noteUpgraded(connection: { sayFarewell(): boolean }): void {
    this.farewells.add(connection);
  }

  forget(connection: Served): void {
    this.connections.delete(connection);
    this.farewells.forget(connection);
    this.onGone?.();
    if (this.connections.size === 0) this.onEmpty?.();
  }

  /** When something that may take `ms` from now is late; 0 (no limit) stays 0. */
  deadlineIn(ms: number): number {
    return ms === 0 ? 0 : this.sweep.deadlineIn(ms);
  }

  /**
   * Lets the requests that run finish, each answered with `Connection: close`, and idle connections end after a short
   * grace. Resolves when no connection is left, nor work for clients that have left. A caller with a deadline calls
   * `destroy` then.
   */
  async drain(idleGraceMs: number): Promise<void> {
    this.isDraining = true;
    this.idleGraceMs = idleGraceMs;
    this.sweep.look();
    for (const connection of this.connections) connection.beginDrain();
    this.farewells.begin([...this.connections].filter(({ isUpgraded }) => isUpgraded));
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
    await this.leftovers.finish();
    this.sweep.stop();
  }

  /** The connections that can make room for others. */
  waiting(): Served[] {
    return [...this.connections].filter(({ worth }) => worth !== undefined);
  }

  /** Closes the connections on which no request runs, and asks those that speak another protocol to end now. */
  closeIdle(): void {
    this.farewells.hurry();
    for (const connection of this.connections) if (connection.phase === 'idle') connection.close();
  }

  /** Lets connections that speak another protocol say that they end. */
  sayFarewell(): void {
    for (const connection of this.connections) connection.sayFarewell();
  }

  /** The process is about to end, and the system will send a FIN for it. An answer that would then look complete is cut. */
  cutUnfinished(): void {
    for (const connection of this.connections) connection.cutUnfinished?.();
  }

  /** Cuts every connection, and stops waiting for work. */
  destroy(): void {
    this.leftovers.giveUp();
    for (const connection of this.connections) connection.destroy();
  }
}
