/**
 * Runs the app in a thread, for one request at a time. There is no socket here: the exchange, which is the same as elsewhere,
 * stands on a transport that sends everything to the main thread.
 */

// Not the globals, which an app may replace.
import { setImmediate, setTimeout } from 'node:timers';
import { type MessagePort, threadId } from 'node:worker_threads';
import type { Handler } from '../../../app/handler.ts';
import type { Listening } from '../../../app/server-files/listening.ts';
import { inFreshContext } from '../../../http/context.ts';
import { onPlaceFree } from '../../../http/departure.ts';
import { ClientGone, timeoutError } from '../../../http/errors.ts';
import { Exchange, type Transport } from '../../../http/exchange.ts';
import { Leftovers } from '../../../http/leftovers.ts';
import { departureMs } from '../../../http/limits.ts';
import { cpuMicros } from '../../metering/cpu.ts';
import type { Claims } from '../claims.ts';
import { type ForRequest, isForTunnel, readRequest, revive, type ToThread } from '../messages.ts';
import { type Ending, endThread } from './end.ts';
import type { Outlet } from './outlet.ts';
import { Shares } from './shares.ts';
import { ThreadTransport } from './transport.ts';
import { Tunnels } from './tunnels.ts';

interface LoopOptions {
  readonly port: MessagePort;
  readonly handle: Handler;
  readonly claims: Claims;
  readonly outlet: Outlet;
  /** Closes a framework's app. */
  readonly close: () => Promise<void>;
  readonly keepAliveMs: number;
  readonly listening: Listening | undefined;
  readonly measuresCpu: boolean;
  readonly showFailure: Transport['showFailure'];
}

const notMeasured = () => -1;

export class RequestLoop implements Ending {
  private readonly handle: Handler;
  private readonly claims: Claims;
  readonly outlet: Outlet;
  /** Requests that wait for their turn. The main thread can steal them back until then. */
  private readonly waiting: string[] = [];
  /** Messages for requests that have not begun: parts of their bodies, mostly. */
  private readonly early: ForRequest[] = [];
  private readonly shares = new Shares(threadId);
  private readonly leftovers = new Leftovers();
  private readonly tunnels: Tunnels;
  private id = -1;
  private exchange: Exchange | undefined = undefined;
  private transport: ThreadTransport | undefined = undefined;
  /** Requests that are done, but whose answers are not all out yet. */
  private readonly owed = new Map<number, ThreadTransport>();
  /** Whether the app's function has been called for it. */
  private isCalled = false;

  readonly close: () => Promise<void>;
  readonly listening: Listening | undefined;
  readonly port: MessagePort;
  private readonly keepAliveMs: number;
  private readonly measuresCpu: boolean;
  private readonly showFailure: Transport['showFailure'];

  constructor({ port, handle, claims, outlet, close, listening, keepAliveMs, measuresCpu, showFailure }: LoopOptions) {
    this.keepAliveMs = keepAliveMs;
    this.measuresCpu = measuresCpu;
    this.showFailure = showFailure;
    this.port = port;
    this.handle = handle;
    this.close = close;
    this.listening = listening;
    this.claims = claims;
    this.outlet = outlet;
    this.tunnels = new Tunnels(outlet);
    port.on('message', (batch: readonly ToThread[]) => this.take(batch));
  }

  private take(batch: readonly ToThread[]): void {
    for (const message of batch) {
      if (typeof message === 'string') this.waiting.push(message);
      else if (message[0] === 'stop') void this.stop();
      else if (message[0] === 'ping') this.outlet.post(['pong']);
      else if (message[0] === 'share') this.shares.add(message[1]);
      else if (message[0] === 'unshare') this.shares.remove(message[1]);
      else if (isForTunnel(message)) this.tunnels.hear(message);
      else if (message[0] === 'out') this.takeOut(message[1], message[2]);
      else if (message[1] === this.id) this.hear(message);
      else if (message[1] > this.id) this.early.push(message);
    }
    this.runNext();
  }

  private takeOut(id: number, isOut: boolean): void {
    const transport = this.owed.get(id) ?? (id === this.id ? this.transport : undefined);
    this.owed.delete(id);
    transport?.takeOut(isOut);
  }

  private async stop(): Promise<void> {
    this.listening?.closeOthers();
    if (!this.leftovers.isEmpty) this.outlet.post(['closing']);
    await this.leftovers.finish();
    await endThread(this);
  }

  private hear(message: ForRequest): void {
    const { exchange, transport } = this;
    if (exchange === undefined || transport === undefined) return;
    switch (message[0]) {
      case 'body':
        return transport.takeBody(message[2]);
      case 'bodyEnd':
        exchange.head.trailers = message[2];
        return exchange.endBody();
      case 'taken':
        return transport.noteTaken(message[2]);
      case 'gone':
        return transport.takeClose(new ClientGone(message[2]), message[3] && revive(message[3]));
      case 'left':
        return this.leave(exchange, message[2], message[3]);
    }
  }

  private leave(exchange: Exchange, name: string, reason: string): void {
    if (name === 'TimeoutError') {
      exchange.isOverdue = true;
      this.outlet.post(['heard', this.id | 0]);
      return exchange.leave(timeoutError(reason));
    }
    exchange.leave(new ClientGone(reason));
    if (this.isCalled) this.noteEnd(exchange);
  }

  /** The client has closed its half. Every part of the answer sent before this message has reached the main thread. */
  private noteEnd(exchange: Exchange): void {
    if (this.exchange !== exchange || exchange.isEnded) return;
    const isOver = exchange.endsWithClient;
    if (isOver) {
      this.transport?.attachment?.takeEnd?.();
      exchange.mute();
    }
    this.outlet.post(['endHeard', this.id | 0, isOver]);
  }

  private runNext(): void {
    while (this.exchange === undefined && this.waiting.length > 0) {
      const text = this.waiting.shift()!;
      const request = readRequest(text);
      if (this.claims.take(request.id)) return this.run(request);
    }
  }

  private run(request: ReturnType<typeof readRequest>): void {
    const { id, head } = request;
    const { outlet, shares, leftovers, tunnels } = this;
    const transport = new ThreadTransport(request, { outlet, shares, leftovers, tunnels }, this.readCpu());
    const exchange = new Exchange(head, transport, performance.now());
    exchange.ends = request.ends;
    transport.keepAliveMs = this.keepAliveMs;
    transport.showFailure = this.showFailure;
    transport.serves(exchange);
    this.id = id;
    this.exchange = exchange;
    this.transport = transport;
    this.isCalled = false;
    if (this.early.length > 0) this.hearEarly(id);
    const settled = inFreshContext(() => this.handle(exchange));
    this.isCalled = true;
    transport.isCalling = false;
    // The client left before the app began. Report it after that, as if it had left then.
    if (exchange.leaveReason instanceof ClientGone) setImmediate(() => this.noteEnd(exchange));
    if (settled !== undefined) {
      transport.finish();
      void settled.then(() => this.end(exchange, transport));
      onPlaceFree(exchange, () => this.end(exchange, transport));
    } else if (exchange.isEnded || exchange.isGone) this.end(exchange, transport);
    else {
      // The app returned no promise, and answers later: it is done when its answer is.
      transport.onFinish = () => this.end(exchange, transport);
      exchange.onAbort(() => this.end(exchange, transport));
    }
  }

  /** A request runs alone on its thread, so it takes what the thread takes. */
  private readCpu(): () => number {
    if (!this.measuresCpu) return notMeasured;
    const startMicros = cpuMicros();
    return () => cpuMicros() - startMicros;
  }

  private hearEarly(id: number): void {
    // The client has left, but the main thread wants the request to run. Its body is still to be read, so it ends a little
    // later.
    for (const message of this.early.splice(0))
      if (message[1] === id && message[0] === 'gone')
        setTimeout(() => this.id === id && this.hear(message), departureMs).unref();
      else if (message[1] === id) this.hear(message);
      else if (message[1] > id) this.early.push(message);
  }

  private end(exchange: Exchange, transport: ThreadTransport): void {
    transport.whenSent(() => this.finish(exchange, transport));
  }

  private finish(exchange: Exchange, transport: ThreadTransport): void {
    transport.done();
    if (this.exchange !== exchange) return;
    if (transport.isOwed) this.owed.set(this.id, transport);
    this.exchange = undefined;
    this.transport = undefined;
    // What this request has left for the next tick runs before the next request, which may block.
    if (this.waiting.length > 0) process.nextTick(() => this.runNext());
  }
}
