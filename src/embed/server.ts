/** `createServer`: an app behind the real engine in this process, without a master, for an app's own tests. */

import { once } from 'node:events';
import type { Server as Listener } from 'node:net';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { RawServer } from '../app/interface.ts';
import { makeHandler, makeServer, prepareApp } from '../app/interfaces.ts';
import { loadApp } from '../app/load.ts';
import { type AskedInterface, askedFor, schemeOf, servedBy } from '../app/names.ts';
import type { App } from '../app/types.ts';
import { milliseconds } from '../config/durations.ts';
import { hasTls, schemeAt } from '../config/values/tls.ts';
import { unwritable } from '../errors.ts';
import { callHook, type ServerAddress } from '../hooks.ts';
import { createListener } from '../http/accept.ts';
import type { End } from '../http/ends.ts';
import { Observers } from '../http/observers.ts';
import { HttpServer } from '../http/server.ts';
import type { TlsEndpoint } from '../http/tls/endpoint.ts';
import { createLogger, type OwnLogger } from '../logger.ts';
import { Certificates } from '../master/tls/certificates.ts';
import { closeIdle } from '../worker/accept/kernel-queue.ts';
import { AccessLog } from '../worker/access/access-log.ts';
import { subscribe } from '../worker/access/start.ts';
import { logConnectionFailure, type OnError } from '../worker/classes/failures.ts';
import { httpOptions, proxied } from '../worker/classes/http-options.ts';
import { Tls } from '../worker/classes/tls.ts';
import { fixedLimits } from '../worker/fixed-limits.ts';
import type { AnyApp, Apps } from './apps.ts';
import { bind, describeAddress } from './bind.ts';
import { inOptions } from './option-names.ts';
import { type CheckedSettings, checkSettings, type ServerSettings } from './settings.ts';

export interface Server {
  /**
   * Resolves when it accepts. After a failure it may be called again.
   * @throws ConfigError when the address cannot be bound, AppLoadError when the export is not an app
   */
  listen(): Promise<ServerAddress>;
  /** @throws Error when it does not listen */
  address(): ServerAddress;
  /** Stops accepting, finishes running requests in `gracefulTimeout`, and leaves no handle behind. May be called at any time. */
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
export function createServer(
  app: App,
  settings?: ServerSettings & { readonly interface?: 'auto' | 'wsgi' | undefined },
): Server;
export function createServer<I extends keyof Apps = 'auto'>(
  app: Apps[I],
  settings?: ServerSettings & { readonly interface?: I | undefined },
): Server;
export function createServer(app: AnyApp | string, settings: ServerSettings = {}): Server {
  return new InProcessServer(app, checkSettings(settings, 'createServer()'));
}

class InProcessServer implements Server {
  private readonly app: AnyApp | string;
  private readonly checked: CheckedSettings;
  private opening: Promise<ServerAddress> | undefined = undefined;
  private closing: Promise<void> | undefined = undefined;
  private opened: Opened | undefined = undefined;

  constructor(app: AnyApp | string, checked: CheckedSettings) {
    this.app = app;
    this.checked = checked;
  }

  listen(): Promise<ServerAddress> {
    if (this.closing !== undefined) return Promise.reject(new Error('the server is closed: create another'));
    this.opening ??= this.open();
    return this.opening;
  }

  address(): ServerAddress {
    if (this.opened === undefined || this.closing !== undefined)
      throw new Error('the server does not listen: await listen() first');
    return this.opened.where;
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async open(): Promise<ServerAddress> {
    try {
      this.opened = await open(this.app, this.checked);
      return this.opened.where;
    } catch (error) {
      this.opening = undefined;
      throw inOptions(error);
    }
  }

  private async shut(): Promise<void> {
    // `listen()` may still be running; its caller gets the error.
    await this.opening?.catch(() => {});
    if (this.opened === undefined) return;
    const { listener, server, log, access, certificates } = this.opened;
    const closed = once(listener, 'close');
    listener.close();
    const timer = setTimeout(() => server.destroy(), milliseconds(this.checked.settings.gracefulTimeout));
    const drained = server.drain(0);
    await closeIdle([server]);
    await drained;
    clearTimeout(timer);
    await closed;
    certificates?.close();
    access?.close();
    log.close();
  }
}

interface Opened {
  readonly where: ServerAddress;
  readonly listener: Listener;
  readonly server: HttpServer | RawServer;
  readonly log: OwnLogger;
  readonly access: AccessLog | undefined;
  readonly certificates: Certificates | undefined;
}

async function open(given: AnyApp | string, checked: CheckedSettings): Promise<Opened> {
  const { settings } = checked;
  const app = typeof given === 'string' ? await loadApp(given) : given;
  const asked = askedFor(settings.interface, typeof given === 'string' ? given : '');
  const log = openLog(checked);
  const observers = new Observers();
  const access = openAccessLog(checked, observers, log);
  let server: HttpServer | RawServer | undefined;
  let certificates: Certificates | undefined;
  try {
    if (hasTls(settings)) certificates = await Certificates.open(settings, log);
    const tls = certificates && openTls(checked, certificates, log, servedBy(asked) === 'connections');
    server =
      servedBy(asked) === 'requests'
        ? await httpServer(app, asked, checked, log, observers, tls)
        : await rawServer(app, asked, checked, log, observers, tls);
    const listener = createListener(server);
    await bind(listener, settings.bind[0]!, settings.backlog);
    const scheme = schemeAt(settings, 0, schemeOf(asked));
    return { where: describeAddress(listener, scheme), listener, server, log, access, certificates };
  } catch (error) {
    await server?.drain(0);
    certificates?.close();
    access?.close();
    log.close();
    throw error;
  }
}

/** @throws ConfigError */
export function openLog({ settings, logger }: CheckedSettings): OwnLogger {
  try {
    return createLogger(settings, logger);
  } catch (error) {
    throw unwritable('errorLogfile', settings.errorLogfile, error);
  }
}

/** @throws ConfigError */
function openAccessLog({ settings }: CheckedSettings, observers: Observers, log: OwnLogger): AccessLog | undefined {
  const { accessLogfile } = settings;
  if (accessLogfile === undefined) return undefined;
  const access = new AccessLog(accessLogfile, settings, { pid: process.pid, worker: undefined, class: undefined }, log);
  try {
    access.open();
  } catch (error) {
    access.close();
    log.close();
    throw unwritable('accessLogfile', accessLogfile, error);
  }
  subscribe(access.enter, observers);
  return access;
}

function openTls(
  { settings }: CheckedSettings,
  certificates: Certificates,
  log: OwnLogger,
  isRaw: boolean,
): TlsEndpoint {
  const tls = new Tls(settings, log, certificates.files);
  certificates.subscribe((files) => tls.update(files));
  return tls.open(isRaw);
}

/** The engine with an app, for connections however they come. @throws AppLoadError */
export async function httpServer(
  app: unknown,
  asked: AskedInterface,
  checked: CheckedSettings,
  log: OwnLogger,
  observers = new Observers(),
  tls?: TlsEndpoint,
): Promise<HttpServer> {
  const onErrorLine = (line: string) => log.say('error', { source: 'wsgi.errors' }, line);
  const onWarning = (warning: string) => log.say('warn', {}, warning);
  const fixed = fixedLimits(checked.chosen, undefined, (setting) => setting);
  const options = { multithread: false, multiprocess: false, isGuest: true, fixed, onErrorLine, onWarning };
  // Not closed with the server: it belongs to the caller, who may still use it.
  const prepared = await prepareApp(app, asked);
  const handle = makeHandler(prepared.app, asked, options);
  return new HttpServer({
    ...httpOptions(checked.settings, log, undefined, teller(checked, log)),
    handle,
    extras: handle.extras,
    observers,
    tls,
  });
}

async function rawServer(
  app: unknown,
  asked: AskedInterface,
  checked: CheckedSettings,
  log: OwnLogger,
  observers: Observers,
  tls: TlsEndpoint | undefined,
): Promise<RawServer> {
  const prepared = await prepareApp(app, asked);
  const onError = teller(checked, log);
  const onFailure = (peer: End, error: unknown) => logConnectionFailure(log, peer, error, onError);
  return makeServer(prepared.app, asked, { onFailure, observers, proxied: proxied(checked.settings, log), tls });
}

function teller({ onError }: CheckedSettings, log: OwnLogger): OnError | undefined {
  if (onError === undefined) return undefined;
  return (error, request) => void callHook('onError', log, () => onError(error, request()));
}
