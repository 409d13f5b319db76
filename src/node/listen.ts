/** Servers of the app that only seem to listen: tsgun accepts in their place (`net.Server`'s `_handle`, `_connections`). */

import net, { type Server } from 'node:net';
// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';

const listen: (this: Server, ...args: never[]) => Server = net.Server.prototype.listen;

/** For tsgun's own servers, and those of the app that are to listen: past what `interceptListen` does. */
export function listenReally(server: Server, ...args: readonly unknown[]): void {
  Reflect.apply(listen, server, args);
}

/** From now on, asks `take` about each server of this thread that is to listen. @param take whether it was dealt with */
export function interceptListen(take: (server: Server, args: readonly unknown[]) => boolean): void {
  function intercepted(this: Server, ...args: unknown[]): Server {
    return take(this, args) ? this : Reflect.apply(listen, this, args);
  }
  Object.defineProperty(intercepted, 'name', { value: 'listen' });
  net.Server.prototype.listen = intercepted as typeof net.Server.prototype.listen;
}

/** As `server.address()` gives it. */
export type ServerAddress = { readonly address: string; readonly family: string; readonly port: number } | string;

export interface Pretence {
  /** Where the server is to believe that it listens. Asked each time, because that may change. */
  readonly address: () => ServerAddress;
  /** The server was closed by the app. @returns whether its connections have ended; if not, `release` says so later */
  readonly onClose: () => boolean;
  /** How many connections it has: what `server.getConnections` says. */
  readonly countConnections: () => number;
}

interface Internals {
  _handle: PretendedHandle | null;
  _pipeName?: string | undefined;
  _connections: number;
  _unref?: boolean;
  _emitCloseIfDrained(): void;
}

/** What a server takes for its socket. Like one, it keeps the process alive, unless it is told not to. */
class PretendedHandle {
  readonly fd = -1;
  private readonly timer = setInterval(() => {}, 2 ** 31 - 1);
  private readonly address: () => ServerAddress;
  private readonly onClose: () => void;

  constructor(address: () => ServerAddress, onClose: () => void) {
    this.address = address;
    this.onClose = onClose;
  }

  /** Absent for the path of a unix socket: the server itself has that. */
  get getsockname(): ((out: object) => number) | undefined {
    const address = this.address();
    if (typeof address === 'string') return undefined;
    return (out) => {
      Object.assign(out, address);
      return 0;
    };
  }

  ref(): void {
    this.timer.ref();
  }

  unref(): void {
    this.timer.unref();
  }

  hasRef(): boolean {
    return this.timer.hasRef();
  }

  close(): void {
    clearInterval(this.timer);
    this.onClose();
  }

  /** Without a word to the server. */
  end(): void {
    clearInterval(this.timer);
  }
}

/** A server that seems to listen. It says so once `tell` is called. */
export class PretendingServer {
  private readonly server: Server & Internals;
  private readonly handle: PretendedHandle;
  private isReleased = false;
  hasTold = false;
  private count: (() => number) | undefined;

  constructor(server: Server, { address, onClose, countConnections }: Pretence) {
    this.server = server as Server & Internals;
    this.count = countConnections;
    this.handle = new PretendedHandle(address, () => {
      if (onClose()) this.release();
    });
    if (this.server._unref === true) this.handle.unref();
    this.server._handle = this.handle;
    this.compute('_pipeName', () => pathIn(address()));
    // Node holds back `close` while there are any.
    this.compute('_connections', () => this.count?.() ?? 0);
  }

  private compute(name: keyof Internals, get: () => unknown): void {
    Object.defineProperty(this.server, name, { configurable: true, enumerable: true, get, set: () => {} });
  }

  private restore(name: keyof Internals, value: unknown): void {
    Object.defineProperty(this.server, name, { configurable: true, enumerable: true, writable: true, value });
  }

  /** It listens, if it was not told so before. */
  tell(): void {
    if (this.hasTold || !this.isListening) return;
    this.hasTold = true;
    this.server.emit('listening');
  }

  get isListening(): boolean {
    return this.server._handle === this.handle;
  }

  /** Whether it keeps the process alive. */
  get hasRef(): boolean {
    return this.isListening && this.handle.hasRef();
  }

  /** It has no connections any more: a server that was closed says so. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.count = undefined;
    if (!this.isListening) process.nextTick(() => this.server._emitCloseIfDrained());
  }

  /** Whoever waits for its end is not to keep the process alive. */
  unref(): void {
    this.handle.unref();
  }

  /** Listens now, as it was asked to. If it said before that it does, it does not say so again. */
  listenReally(args: readonly unknown[]): void {
    const { server } = this;
    this.handle.end();
    server._handle = null;
    this.restore('_pipeName', undefined);
    this.restore('_connections', 0);
    if (this.hasTold) takeNextEvent(server, (event) => event === 'listening');
    listenReally(server, ...args);
  }

  /** Goes on with the socket on which another server listens. */
  takeOver(other: Server): void {
    const { _handle: handle } = other as Server & Internals;
    if (!this.isListening) return void other.close();
    (other as Server & Internals)._handle = null;
    this.listenReally([{ _handle: handle }]);
  }
}

const pathIn = (address: ServerAddress) => (typeof address === 'string' ? address : undefined);

/** @param take whether the next event of a server is to be heard by nobody else */
export function takeNextEvent(server: Server, take: (event: string, ...args: unknown[]) => boolean): void {
  const before = Object.getOwnPropertyDescriptor(server, 'emit');
  server.emit = function (this: Server, event: string, ...args: unknown[]) {
    if (before === undefined) Reflect.deleteProperty(server, 'emit');
    else Object.defineProperty(server, 'emit', before);
    return take(event, ...args) || Reflect.apply(server.emit, this, [event, ...args]);
  } as typeof server.emit;
}
