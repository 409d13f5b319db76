/** What an interface is to the rest: each says of itself what it takes, and how it is served. */

import type { End } from '../http/ends.ts';
import type { Observers } from '../http/observers.ts';
import type { ProxyProtocol } from '../http/proxy-protocol/proxied.ts';
import type { Suspect } from '../http/suspect.ts';
import type { TlsEndpoint } from '../http/tls/endpoint.ts';
import type { Incoming } from '../http/wire/wire.ts';
import type { Handler, HandlerOptions } from './handler.ts';

export type AppInterface<App = unknown> = RequestInterface<App> | ConnectionInterface<App>;

interface Described<App> {
  /** What an export of it looks like, for the help. */
  readonly takes: string;
  /** What it is called elsewhere, for who writes that. */
  readonly alsoCalled?: readonly string[];
  /** An export of this name is taken for it where none is asked for. */
  readonly exportName?: string;
  /** Never there: the type that an export has. */
  readonly app?: App;
}

/** One whose apps answer HTTP requests. */
export interface RequestInterface<App = unknown> extends Described<App> {
  readonly serves: 'requests';
  /** Whether an export may be found to be of it by its looks: see `detect.ts`. */
  readonly isDetected: boolean;
  /** Loads what serves it. A process that serves one app in its own loads only what that needs. */
  load(): Promise<RequestLoader>;
}

export interface RequestLoader {
  /** @throws AppLoadError when the export is not what the interface needs */
  makeHandler(app: unknown, options: HandlerOptions): Handler;
  /** Lets a framework finish what it does before its first request. @throws AppLoadError with the framework's error */
  prepare?(app: unknown): Promise<PreparedApp>;
}

/** One whose apps are given raw connections. */
export interface ConnectionInterface<App = unknown> extends Described<App> {
  readonly serves: 'connections';
  /** Loads what serves it. */
  load(): Promise<ConnectionLoader>;
}

export interface ConnectionLoader {
  /** @throws AppLoadError when the export is not what the interface needs */
  makeServer(app: unknown, options: RawServerOptions): RawServer;
}

export interface RawServerOptions {
  /** Called ahead of the app. @returns what is called when the connection has ended */
  readonly onBegin?: (peer: End) => () => void;
  /** A failure of the app, for the log. */
  readonly onFailure: (peer: End, error: unknown) => void;
  /** A connection has ended. */
  readonly onGone?: () => void;
  /** Where connections begin with a PROXY header, which must come within `headerMs`. */
  readonly proxied?: { readonly protocol: ProxyProtocol; readonly headerMs: number } | undefined;
  /** Where connections are over TLS. It reads the PROXY header, too. */
  readonly tls?: TlsEndpoint | undefined;
  /** Told of each that has ended. */
  readonly observers?: Observers | undefined;
}

/** The raw connections of one worker to one address. */
export interface RawServer {
  local: End;
  /** Connections that have ended. */
  readonly requests: number;
  /** Connections so far. */
  readonly accepted: number;
  readonly connectionCount: number;
  serve(incoming: Incoming, peer: End): unknown;
  /** As requests are listed, for the log. */
  running(): { method: string; path: string; ms: number }[];
  /** The connections that an escaped error may come from. */
  suspects(): Suspect[];
  /** Tells the app to finish; resolves when no connection is left. Who has a deadline calls `destroy` at it. */
  drain(idleGraceMs: number): Promise<void>;
  /** Cuts every connection. */
  destroy(): void;
  /** Adds what was received and sent since to the observers' traffic. */
  countTraffic(): void;
  /** The process is about to end: observers hear of what is not over. */
  tellUnfinished(): void;
}

export interface PreparedApp {
  /** What is to be served: the export, or what stands behind it. */
  readonly app: unknown;
  /** Lets a framework do what it does after its last request, such as closing what plugins have opened. */
  close(): Promise<void>;
}
