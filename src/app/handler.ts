/** What every interface for requests makes of an app. */

import type { Exchange } from '../http/exchange.ts';
import type { Extras } from '../http/extras.ts';
import type { OwnLimits } from '../http/limits.ts';

/**
 * Takes one request and answers it, now or later. Never throws.
 * @returns a promise where the app is not done yet, which may be long after its client has gone; it never rejects
 */
export interface Handler {
  (exchange: Exchange): void | Promise<void>;
  /** What its app takes beyond requests. */
  readonly extras?: Extras | undefined;
}

/** What is the same for all requests of a worker. */
export interface HandlerOptions {
  readonly multithread: boolean;
  readonly multiprocess: boolean;
  /** Takes a line that an app wrote to `wsgi.errors`. */
  readonly onErrorLine: (line: string) => void;
  /** Takes what of an app has no effect. */
  readonly onWarning?: (warning: string) => void;
  /** Limits and timeouts that an app cannot set on its own server, each with what decides instead. */
  readonly fixed?: Readonly<Partial<Record<keyof OwnLimits, string>>> | undefined;
  /** Whether the process is the caller's, in which nothing global may change. */
  readonly isGuest?: boolean;
}
