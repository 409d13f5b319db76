/**
 * What becomes of the servers that a program lets listen. Until one is chosen, the likeliest seems to listen, and the others
 * seem about to; then the chosen one is served by tsgun, and the others listen for themselves.
 */

import { type EventEmitter, errorMonitor } from 'node:events';
import type { Server } from 'node:net';
import { interceptListen, PretendingServer, type ServerAddress } from '../../node/listen.ts';
import { isHttp2Server } from '../detect.ts';
import { type Asked, addressAsked, nameAsked, readListen } from './asked.ts';
import { asksFor, type Candidate, choose, conflictOf, type Own } from './choice.ts';
import { isServerOf } from './exported.ts';
import { listenShared, type Sharing, withoutCallback } from './sharing.ts';

export interface ListeningOptions {
  readonly own: Own;
  /** What the servers are told that they listen on. */
  readonly address: ServerAddress;
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** A server listens, or has been closed. */
  readonly onChange: () => void;
  readonly sharing: Sharing;
  /** Whether no `net.Server` can be the app, as an export is. */
  readonly opensRaw: boolean;
}

interface Seeming extends Candidate {
  readonly server: Server;
  readonly args: readonly unknown[];
  readonly pretending: PretendingServer;
}

/** What tsgun serves in the name of a server. */
export interface Service {
  readonly countConnections: () => number;
  /** The app has closed it. */
  readonly onClose: () => void;
}

export class Listening {
  /** The app's server, once it is chosen. */
  chosen: Seeming | undefined = undefined;
  private readonly candidates: Seeming[] = [];
  private readonly others = new Set<Server>();
  private readonly options: ListeningOptions;
  private isDecided = false;
  /** What is served, where that is no server that listens. */
  private exported: { readonly app: unknown } | undefined = undefined;
  private service: Service | undefined = undefined;

  constructor(options: ListeningOptions) {
    this.options = options;
  }

  /** From now on. */
  watch(): void {
    interceptListen((server, args) => this.take(server, args));
  }

  /** The one that would be chosen now. */
  get best(): Seeming | undefined {
    return choose(this.candidates, this.options.own);
  }

  /** Whether the best one asks for what it is to get: only an `http.Server` can still be better than a `net.Server`. */
  get isWanted(): boolean {
    return this.best !== undefined && asksFor(this.options.own, this.best.asked);
  }

  get count(): number {
    return this.candidates.filter(({ isClosed }) => !isClosed).length;
  }

  /** Timers that keep the process alive in the place of sockets. */
  get held(): number {
    return this.candidates.filter(({ pretending }) => pretending.hasRef).length;
  }

  /** From now on, the others listen for themselves. */
  decide(): Seeming | undefined {
    this.chosen = this.best;
    this.openOthers();
    return this.chosen;
  }

  /** An export is served: from now on, all servers but its own listen for themselves. */
  export(app: unknown): void {
    this.exported = { app };
    const open = this.candidates.filter(({ isClosed }) => !isClosed);
    this.chosen =
      open.find(({ server }) => isServerOf(app, server)) ??
      open.find(({ asked, isHttp }) => isHttp && asksFor(this.options.own, asked));
    this.openOthers();
  }

  private openOthers(): void {
    this.isDecided = true;
    for (const candidate of this.candidates.splice(0)) {
      if (candidate.isClosed) continue;
      if (this.isServed(candidate.server)) this.tellSoon(candidate);
      else this.open(candidate);
    }
  }

  /** Whether tsgun accepts in the place of a server. */
  private isServed(server: Server): boolean {
    const { chosen, exported } = this;
    if (exported !== undefined && isServerOf(exported.app, server)) return true;
    return chosen !== undefined && (server === chosen.server || isTwin({ server }, chosen));
  }

  /** The chosen one has connections from now on. */
  serve(service: Service): void {
    this.service = service;
    if (this.chosen?.isClosed) service.onClose();
  }

  /** Of the chosen one. */
  get connectionCount(): number {
    return this.service?.countConnections() ?? 0;
  }

  /** Its connections have ended. */
  release(): void {
    this.service = undefined;
    this.chosen?.pretending.release();
  }

  /** Those that listen for themselves accept no more. */
  closeOthers(): void {
    for (const server of this.others) server.close();
    this.others.clear();
  }

  private take(server: Server, args: readonly unknown[]): boolean {
    const asked = readListen(args);
    // Node says what is wrong with it.
    if (asked === undefined || server.listening) return false;
    const isHttp = isHttpServer(server);
    if (this.isDecided) return this.takeLate(server, args, asked, isHttp);
    if (!(isHttp ? this.mayBeServed(server, asked) : this.mayBecomeApp(asked)))
      return this.openOther(server, args, asked);
    const candidate = this.pretend(server, args, asked, isHttp);
    // A twin of the likeliest is not one more: it may ask for the port that that one was told.
    if (!this.seemsServed(candidate)) {
      this.candidates.push(candidate);
      this.options.onChange();
    }
    this.tellSoon(candidate);
    return true;
  }

  /** Of an `http.Server`. Port 0 after another server is not for the app: its address must be true from the start. */
  private mayBeServed(server: Server, asked: Asked): boolean {
    const { best } = this;
    return asked.port !== 0 || best === undefined || !best.isHttp || isTwin({ server }, best);
  }

  /** Of a `net.Server`. */
  private mayBecomeApp(asked: Asked): boolean {
    // Port 0 asks for any free port, for something else than the app: it must really be free.
    if (asked.port === 0) return false;
    // What asks for the address of tsgun is refused when the export is known.
    return !this.options.opensRaw || conflictOf(this.options.own, asked) !== undefined;
  }

  private takeLate(server: Server, args: readonly unknown[], asked: Asked, isHttp: boolean): boolean {
    const { chosen, exported, options } = this;
    const isWanted = chosen === undefined && exported !== undefined && isHttp && asksFor(options.own, asked);
    if (isWanted || this.isServed(server)) {
      const seeming = this.pretend(server, args, asked, isHttp);
      this.tellSoon(seeming);
      // What the program does with this one, such as to close it, is meant for what tsgun serves.
      if (chosen === undefined || chosen.isClosed) this.chosen = seeming;
    } else if (conflictOf(options.own, asked) !== undefined) this.refuse(server, asked);
    else this.openOther(server, args, asked);
    return true;
  }

  private pretend(server: Server, args: readonly unknown[], asked: Asked, isHttp: boolean): Seeming {
    const candidate: Seeming = {
      server,
      args,
      asked,
      isHttp,
      isClosed: false,
      pretending: new PretendingServer(server, {
        address: () => (this.seemsServed(candidate) ? this.options.address : addressAsked(asked)),
        countConnections: () => (candidate === this.chosen ? this.connectionCount : 0),
        onClose: () => this.noteClosed(candidate),
      }),
    };
    if (asked.callback !== undefined) server.once('listening', asked.callback);
    if (asked.signal !== undefined) closeAtAbort(server, asked.signal);
    return candidate;
  }

  /** Another that listens in the same turn may be likelier: that one is told then, and this one once it really listens. */
  private tellSoon(candidate: Seeming): void {
    process.nextTick(() => {
      if (this.seemsServed(candidate)) candidate.pretending.tell();
    });
  }

  private seemsServed(candidate: Seeming): boolean {
    const { best } = this;
    if (this.isDecided) return this.isServed(candidate.server);
    return best !== undefined && (candidate === best || isTwin(candidate, best));
  }

  /** @returns whether nothing of it is served any more */
  private noteClosed(candidate: Seeming): boolean {
    candidate.isClosed = true;
    if (!this.isDecided) {
      if (this.best !== undefined) this.tellSoon(this.best);
      this.options.onChange();
    }
    if (candidate !== this.chosen || this.service === undefined) return true;
    this.service.onClose();
    return this.service === undefined;
  }

  /** It may have said already that it listens. */
  private open({ server, args, asked, pretending }: Seeming): void {
    if (conflictOf(this.options.own, asked) !== undefined) return this.refuse(server, asked);
    this.note(server, asked);
    // A proxy that asks it there would ask itself, for ever.
    if (asked.port === 0 && pretending.hasTold)
      this.options.say(
        'warn',
        "the app's http.Server that asked for port 0 had tsgun's address until another server asked for that one: who kept it now reaches tsgun; give this server a port of its own",
      );
    listenShared(server, withoutCallback(args), this.options.sharing, (each) => pretending.listenReally(each));
  }

  private openOther(server: Server, args: readonly unknown[], asked: Asked): boolean {
    this.note(server, asked);
    listenShared(server, args, this.options.sharing);
    return true;
  }

  /** Whether the answer to a `listen` is still to come, be it from the primary of the cluster. */
  get isOpening(): boolean {
    return [...this.others].some(({ listening }) => !listening);
  }

  private note(server: Server, asked: Asked): void {
    const forget = () => void this.others.delete(server);
    this.others.add(server);
    (server as EventEmitter).once('close', forget).once(errorMonitor, forget);
    this.options.onChange();
    this.options.say('info', `the app also listens on ${nameAsked(asked)} itself; the workers share it`);
  }

  private refuse(server: Server, asked: Asked): void {
    const { chosen } = this;
    const whose = chosen === undefined ? 'the app' : `the app's server that asked for ${nameAsked(chosen.asked)}`;
    const reason = `tsgun listens there for ${whose}`;
    const text = `listen EADDRINUSE: address already in use ${nameAsked(asked)}: ${reason}; give this server another`;
    const error = Object.assign(new Error(text), { code: 'EADDRINUSE', syscall: 'listen', port: asked.port });
    process.nextTick(() => server.emit('error', error));
  }
}

/** Whether both serve the same, such as Fastify's servers for the two addresses of `localhost`. */
function isTwin(
  { server }: { readonly server: Server },
  { server: other, isClosed }: Pick<Seeming, 'server' | 'isClosed'>,
) {
  const [listener] = server.listeners('request');
  return !isClosed && listener !== undefined && listener === other.listeners('request')[0];
}

function closeAtAbort(server: Server, signal: AbortSignal): void {
  const close = () => void server.close();
  if (signal.aborted) process.nextTick(close);
  else {
    signal.addEventListener('abort', close, { once: true });
    server.once('close', () => signal.removeEventListener('abort', close));
  }
}

/** Told by what it has: `instanceof` would load node:http and node:http2 for every app. */
function isHttpServer(server: object): boolean {
  return 'headersTimeout' in server || isHttp2Server(server);
}
