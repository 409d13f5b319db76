/** What each interface declares: which exports it takes, and how they are served. */

import type { End } from '../http/ends.ts';
import type { Observers } from '../http/observers.ts';
import type { ProxyProtocol } from '../http/proxy-protocol/proxied.ts';
import type { Suspect } from '../http/suspect.ts';
import type { TlsEndpoint } from '../http/tls/endpoint.ts';
import type { Incoming } from '../http/wire/wire.ts';
import type { Handler, HandlerOptions } from './handler.ts';

export type AppInterface<App = unknown> = RequestInterface<App> | ConnectionInterface<App>;

interface Described<App> {
  /** The form of an export, for the help. */
  readonly takes: string;
  /** Names that other servers use for it. */
  readonly alsoCalled?: readonly string[];
  /** An export of this name is taken for this interface, if the user names none. */
  readonly exportName?: string;
  /** Carries the type of an export; there is no value. */
  readonly app?: App;
}

/** An interface whose apps answer HTTP requests. */
export interface RequestInterface<App = unknown> extends Described<App> {
  readonly serves: 'requests';
  /** Whether `detect.ts` may recognise an export of it. */
  readonly isDetected: boolean;
  /** Loads the code that serves it. A process loads only the code of the interface that it serves. */
  load(): Promise<RequestLoader>;
}

export interface RequestLoader {
  /** @throws AppLoadError when the export is not what the interface needs */
  makeHandler(app: unknown, options: HandlerOptions): Handler;
  /** Lets a framework finish its work before the first request. @throws AppLoadError with the framework's error */
  prepare?(app: unknown): Promise<PreparedApp>;
}

/** An interface whose apps get raw connections. */
export interface ConnectionInterface<App = unknown> extends Described<App> {
  readonly serves: 'connections';
  /** Loads the code that serves it. */
  load(): Promise<ConnectionLoader>;
}

export interface ConnectionLoader {
  /** @throws AppLoadError when the export is not what the interface needs */
  makeServer(app: unknown, options: RawServerOptions): RawServer;
}

export interface RawServerOptions {
  /** Called before the app. @returns a function to call when the connection has ended */
  readonly onBegin?: (peer: End) => () => void;
  /** A failure of the app, for the log. */
  readonly onFailure: (peer: End, error: unknown) => void;
  /** A connection has ended. */
  readonly onGone?: () => void;
  /** Set if connections begin with a PROXY header, which must come within `headerMs`. */
  readonly proxied?: { readonly protocol: ProxyProtocol; readonly headerMs: number } | undefined;
  /** Set if connections use TLS. The endpoint reads the PROXY header, too. */
  readonly tls?: TlsEndpoint | undefined;
  /** Whether the app is in a thread of its own, which also sees to it that a client that has left holds no place. */
  readonly isRelayed?: boolean;
  /** Hear of each connection that has ended. */
  readonly observers?: Observers | undefined;
}

/** The raw connections of one worker to one address. */
export interface RawServer {
  local: End;
  /** Connections that have ended. */
  readonly requests: number;
  /** Connections since the start. */
  readonly accepted: number;
  readonly connectionCount: number;
  serve(incoming: Incoming, peer: End): unknown;
  /** In the form of requests, for the log. */
  running(): { method: string; path: string; ms: number }[];
  /** The connections that an escaped error may come from. */
  suspects(): Suspect[];
  /** Tells the app to finish; resolves when no connection is left. A caller with a deadline calls `destroy` then. */
  drain(idleGraceMs: number): Promise<void>;
  /** Cuts every connection. */
  destroy(): void;
  /** Adds the bytes received and sent since the last call to the observers' traffic. */
  countTraffic(): void;
  /** The process is about to end: tells observers of the connections that are still open. */
  tellUnfinished(): void;
}

export interface PreparedApp {
  /** The app to serve: the export, or what it wraps. */
  readonly app: unknown;
  /** Lets a framework finish after the last request, such as closing what its plugins have opened. */
  close(): Promise<void>;
}
