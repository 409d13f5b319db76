/**
 * Options and listeners that an app has set on its `http.Server`. They are honoured where possible. A warning names those that
 * are settings of tsgun, or impossible: nothing is ignored silently.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { OwnLimits } from '../../http/limits.ts';
import { symbolOf } from '../../node/objects.ts';
import type { NodeServer } from '../detect.ts';
import { type Fixed, readLimits } from './own-limits.ts';

/** The options that Node passes to each response of a server. */
export interface ResponseOptions {
  readonly highWaterMark: number;
  readonly rejectNonStandardBodyWrites: boolean;
}

export interface Honoured {
  readonly joinsDuplicates: boolean;
  /** Undefined if they are the defaults. */
  readonly responseOptions: ResponseOptions | undefined;
  /** Fields whose values are joined to one, in lower case. */
  readonly uniqueHeaders: ReadonlySet<string> | undefined;
  /** Whether an HTTP/1.1 request without Host is refused. */
  readonly needsHost: boolean;
  /** The most requests per connection; 0 for no limit. */
  readonly requestsPerSocket: number;
  /** Classes of the app's own. */
  readonly Incoming: typeof IncomingMessage | undefined;
  readonly Outgoing: typeof ServerResponse | undefined;
  /** Which upgrades the app wants (since Node 24.9). */
  readonly shouldUpgrade: ((request: IncomingMessage) => boolean) | undefined;
  readonly limits: OwnLimits | undefined;
}

/** What decides here in their place. */
const remedies: Record<string, string> = {
  maxHeaderSize: 'set --limit-request-field-size',
  insecureHTTPParser: 'requests are always read strictly',
};

/** Beside those, in a thread: connections are the main thread's, which does not have the app. */
const remediesInThreads: Record<string, string> = {
  maxRequestsPerSocket: 'connections are bounded by --keep-alive',
  requireHostHeader: 'HTTP/1.1 requests without Host are answered 400 (RFC 9112 §3.2)',
};

const unheard: Record<string, string> = {
  dropRequest: 'the last answer that maxRequestsPerSocket allows closes the connection',
};

const unheardInThreads: Record<string, string> = {
  drop: 'connections are closed by the main thread, which does not have the app; take --worker-class async',
  clientError: 'what is no valid request is answered by tsgun; take --worker-class async',
  connect: 'CONNECT is answered 501; take --worker-class async',
  checkExpectation: 'expectations other than 100-continue are answered 417; take --worker-class async',
};

/**
 * @param usual a server of Node's on which nobody has set anything
 * @param fixed what the app cannot set
 * @param warn takes what has no effect
 */
export function readOptions(
  server: NodeServer,
  usual: NodeServer,
  fixed: Fixed,
  warn: (warning: string) => void = () => {},
): Honoured {
  const own = server as Partial<ResponseOptions> &
    Partial<Server> & { joinDuplicateHeaders?: boolean; requireHostHeader?: boolean };
  const { highWaterMark, rejectNonStandardBodyWrites = false } = own;
  const isUsual = highWaterMark === (usual as Partial<ResponseOptions>).highWaterMark && !rejectNonStandardBodyWrites;
  return {
    joinsDuplicates: own.joinDuplicateHeaders === true,
    uniqueHeaders: readUnique(server),
    shouldUpgrade: readShouldUpgrade(server, usual),
    needsHost: own.requireHostHeader !== false,
    limits: readLimits(server, usual, fixed, (what, why) => warn(withoutEffect(what, why))),
    requestsPerSocket: own.maxRequestsPerSocket ?? 0,
    Incoming: ownClass<typeof IncomingMessage>(server, usual, 'IncomingMessage'),
    Outgoing: ownClass<typeof ServerResponse>(server, usual, 'ServerResponse'),
    responseOptions:
      isUsual || highWaterMark === undefined ? undefined : { highWaterMark, rejectNonStandardBodyWrites },
  };
}

function ownClass<T>(server: NodeServer, usual: NodeServer, name: string): T | undefined {
  const symbol = symbolOf(server, name);
  if (symbol === undefined) return undefined;
  const made: unknown = Reflect.get(server, symbol);
  return typeof made === 'function' && made !== Reflect.get(usual, symbol) ? (made as T) : undefined;
}

function readUnique(server: NodeServer): ReadonlySet<string> | undefined {
  const symbol = symbolOf(server, 'kUniqueHeaders');
  const names: unknown = symbol === undefined ? undefined : Reflect.get(server, symbol);
  // Of a class of its own.
  return isSet(names) && names.size > 0 ? names : undefined;
}

function isSet(value: unknown): value is ReadonlySet<string> {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Set<string>>).has === 'function';
}

/** Node gives each server without one a default, which only asks whether there is a listener. It is recognised by its text. */
function readShouldUpgrade(server: NodeServer, usual: NodeServer): Honoured['shouldUpgrade'] {
  const callback: unknown = Reflect.get(server, 'shouldUpgradeCallback');
  if (typeof callback !== 'function' || String(callback) === String(Reflect.get(usual, 'shouldUpgradeCallback')))
    return undefined;
  return (request) => Boolean(Reflect.apply(callback, server, [request]));
}

function withoutEffect(what: string, why: string): string {
  return `app: ${what} has no effect here: ${why}`;
}

/** Says what has no effect, and what to do about it. */
export function warningsOf(server: NodeServer, usual: NodeServer, isInThread: boolean): string[] {
  const warnings: string[] = [];
  const warn = (what: string, remedy: string) => warnings.push(withoutEffect(what, remedy));
  for (const [name, remedy] of Object.entries(isInThread ? { ...remedies, ...remediesInThreads } : remedies)) {
    const value: unknown = Reflect.get(server, name);
    // `false` is what Node takes for an option that nobody has set.
    if (name in server && (value ?? false) !== (Reflect.get(usual, name) ?? false))
      warn(`${name} of the http.Server (${value})`, remedy);
  }
  for (const [event, remedy] of Object.entries(isInThread ? { ...unheard, ...unheardInThreads } : unheard))
    if (server.listenerCount(event) > usual.listenerCount(event))
      warn(`the http.Server's listener for ${event}`, remedy);
  return warnings;
}
