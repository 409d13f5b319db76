/**
 * What an app may take beyond ordinary requests, by listeners of its `http.Server`. Without them the engine answers by itself.
 * Each is called only when it is needed.
 */

import type { Ends } from './ends.ts';
import type { HttpError } from './errors.ts';
import type { Exchange, Transport } from './exchange.ts';
import type { OwnLimits } from './limits.ts';

/** What the parser accepts. */
export interface Allowances {
  /** CONNECT goes to the handler, which takes the connection over; else it is answered 501. */
  readonly takesConnect: boolean;
  /** Expectations other than 100-continue go to the handler; else they are answered 417. */
  readonly takesExpectations: boolean;
  /** A request of HTTP/1.1 without Host is answered 400. */
  readonly needsHost: boolean;
}

export interface Extras extends Allowances {
  /** What its server has set; each takes the place of a limit or timeout of the same name. */
  readonly own?: OwnLimits | undefined;
  /** A client was turned away, as there are as many connections as `own` allows. */
  drop(ends: Pick<Ends, 'local' | 'remote'>): void;
  /** A client has connected, and has sent nothing yet. Not called where it is not yet known who it is: over TLS, or a proxy. */
  takeConnection(transport: Transport): void;
  /**
   * A request breaks the rules, or is late.
   * @param exchange stands for it; what was read of its head is in it
   * @returns whether the app has taken the connection to answer it, by `Transport.takeBroken`
   */
  takeBroken(exchange: Exchange, error: HttpError): boolean;
}
