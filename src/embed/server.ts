/** `createServer`: an app behind the real engine in this process, without a master, for an app's own tests. */

import { once } from 'node:events';
import type { Server as Listener } from 'node:net';
import type { RawServer } from '../app/interface.ts';
import { askedFor, makeHandler, makeServer, prepareApp } from '../app/interfaces.ts';
import { loadApp } from '../app/load.ts';
import { type AskedInterface, schemeOf, servedBy } from '../app/names.ts';
import type { App } from '../app/types.ts';
import { type Address, formatAddress } from '../config/addresses.ts';
import { milliseconds } from '../config/durations.ts';
import { resolveSettings } from '../config/load.ts';
import { declarationOf, type Settings, settingNames } from '../config/settings.ts';
import { programSource } from '../config/sources.ts';
import type { InProcessName, UserSettings } from '../config/user-settings.ts';
import { bindError, ConfigError } from '../errors.ts';
import { hookNames } from '../hooks.ts';
import { createListener } from '../http/accept.ts';
import type { End } from '../http/ends.ts';
import { HttpServer } from '../http/server.ts';
import { createLogger, type Logger } from '../logger.ts';
import { closeIdle } from '../worker/accept/kernel-queue.ts';
import { logConnectionFailure } from '../worker/classes/failures.ts';
import { httpOptions } from '../worker/classes/http-options.ts';
import type { AnyApp, Apps } from './apps.ts';

/** The settings that mean something without a master and workers. */
export type ServerSettings = Pick<UserSettings, InProcessName>;

/** An inline function has its parameters' types from the interface that is said. */
type AppSettings<I> = ServerSettings & { readonly interface?: I | undefined };

export interface ServerAddress {
  /** `http://HOST:PORT`, `tcp://HOST:PORT` or `unix:PATH`. */
  readonly url: string;
  /** Of a unix socket, its path. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
}

export interface Server {
  /** Resolves when it accepts. @throws ConfigError when the address cannot be bound, AppLoadError when the app is none */
  listen(): Promise<ServerAddress>;
  /** @throws Error when it does not listen */
  address(): ServerAddress;
  /** Accepts no more, finishes what runs, in `gracefulTimeout`, and leaves no handle behind. May be called at any time. */
  close(): Promise<void>;
  /** `await using`: closes. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * @param app a function, or `path[:export]`
 * @param settings as in a config file; a free port of 127.0.0.1 where none is said. Neither a config file nor the
 *   environment is read.
 * @throws ConfigError for a setting that is bad, or that needs a master
 */
export function createServer(app: string, settings?: ServerSettings): Server;
export function createServer(app: App, settings?: AppSettings<'auto' | 'wsgi'>): Server;
export function createServer<I extends keyof Apps = 'auto'>(app: Apps[I], settings?: AppSettings<I>): Server;
export function createServer(app: AnyApp | string, settings: ServerSettings = {}): Server {
  return new InProcessServer(app, check(settings));
}

class InProcessServer implements Server {
  private readonly app: AnyApp | string;
  private readonly settings: Settings;
  private readonly log: Logger;
  private opening: Promise<ServerAddress> | undefined = undefined;
  private closing: Promise<void> | undefined = undefined;
  private listener: Listener | undefined = undefined;
  private server: HttpServer | RawServer | undefined = undefined;
  private where: ServerAddress | undefined = undefined;

  constructor(app: AnyApp | string, settings: Settings) {
    this.app = app;
    this.settings = settings;
    this.log = createLogger(settings);
  }

  listen(): Promise<ServerAddress> {
    if (this.closing !== undefined) return Promise.reject(new Error('the server is closed: create another'));
    this.opening ??= this.open();
    return this.opening;
  }

  address(): ServerAddress {
    if (this.where === undefined) throw new Error('the server does not listen: await listen() first');
    return this.where;
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async open(): Promise<ServerAddress> {
    const { settings } = this;
    const app = typeof this.app === 'string' ? await loadApp(this.app) : this.app;
    const asked = askedFor(settings.interface, typeof this.app === 'string' ? this.app : '');
    this.server = await this.makeServer(app, asked);
    const listener = createListener(this.server);
    const address = settings.bind[0]!;
    listener.listen({ ...listenOptions(address), backlog: settings.backlog });
    // A refused address comes as an event.
    await once(listener, 'listening').catch(async (error: NodeJS.ErrnoException) => {
      await this.server?.drain(0);
      throw bindError(formatAddress(address), error.code ?? error.message);
    });
    this.listener = listener;
    this.where = describeAddress(listener, schemeOf(asked));
    return this.where;
  }

  private async makeServer(app: unknown, asked: AskedInterface): Promise<HttpServer | RawServer> {
    const { settings, log } = this;
    // Not closed with the server: it is the caller's, who may have more to do with it.
    const prepared = await prepareApp(app, asked);
    if (servedBy(asked) === 'connections') {
      const onFailure = (peer: End, error: unknown) => logConnectionFailure(log, peer, error);
      return makeServer(prepared.app, asked, { onFailure });
    }
    const onErrorLine = (line: string) => log.say('error', { source: 'wsgi.errors' }, line);
    const handle = makeHandler(prepared.app, asked, { multithread: false, multiprocess: false, onErrorLine });
    return new HttpServer({ ...httpOptions(settings, log), handle });
  }

  private async shut(): Promise<void> {
    // It may be on its way; who called listen() hears why it failed.
    await this.opening?.catch(() => {});
    const { listener, server } = this;
    if (listener === undefined || server === undefined) return;
    this.where = undefined;
    const closed = once(listener, 'close');
    listener.close();
    const timer = setTimeout(() => server.destroy(), milliseconds(this.settings.gracefulTimeout));
    const drained = server.drain(0);
    await closeIdle([server]);
    await drained;
    clearTimeout(timer);
    await closed;
  }
}

function check(values: ServerSettings): Settings {
  const source = programSource(values, 'createServer()');
  const unsuitable = [...settingNames.filter((name) => !declarationOf(name).inProcess), ...hookNames]
    .filter((name) => Reflect.get(Object(values), name) !== undefined)
    .map((name) => `${name}: not for createServer(), which has no workers; run() takes it`);
  const own = { name: 'createServer()', values: { bind: '127.0.0.1:0' } };
  const { settings, problems } = resolveSettings([own, source]);
  if (unsuitable.length + problems.length > 0) throw new ConfigError([...unsuitable, ...problems]);
  const [first, ...rest] = settings.bind;
  if (rest.length > 0 || first?.kind === 'fd')
    throw new ConfigError('bind: createServer() listens on one HOST:PORT or unix:PATH; for more, create more');
  return settings;
}

function listenOptions(address: Address) {
  if (address.kind === 'unix') return { path: address.path };
  return address.kind === 'tcp' ? { host: address.host, port: address.port } : {};
}

function describeAddress(listener: Listener, scheme: string): ServerAddress {
  const bound = listener.address();
  if (typeof bound !== 'object' || bound === null) return { url: `unix:${bound}`, address: String(bound), port: 0 };
  const { address, port, family } = bound;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `${scheme}://${host}:${port}`, address, port };
}
