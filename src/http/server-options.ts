/** The options of a server of connections. */

import type { Exchange } from './exchange.ts';
import type { Extras } from './extras.ts';
import type { Forwarding } from './forwarding/forwarding.ts';
import type { HeldAnswers } from './held-answers.ts';
import type { OnTimeout, ShowFailure, WaitOrder } from './host.ts';
import type { Limits } from './limits.ts';
import type { Observers } from './observers.ts';
import type { OpenerOptions } from './opener.ts';
import type { AnswerClaims } from './wire/answer-claims.ts';

export interface HttpServerOptions extends OpenerOptions {
  readonly limits: Limits;
  /** See `Host`; 0 by default: the app waits as soon as the kernel does not take all. */
  readonly heldAnswerBytes?: number;
  readonly heldAnswers?: HeldAnswers | undefined;
  /** Gets each request; must not throw. */
  readonly handle: (exchange: Exchange) => void | Promise<void>;
  /** A failure of the app, for the log. */
  readonly onFailure: (exchange: Exchange, error: unknown, isLate?: boolean) => void;
  /** See `Host`. */
  readonly showFailure?: ShowFailure | undefined;
  /** Called if an answer is not complete after its time and its grace. */
  readonly onTimeout?: OnTimeout;
  /** Called once for each connection, when it will bring no further request: it ends, or has ended. */
  readonly onLastRequest?: (connection: object) => void;
  /** Called when a connection has ended. */
  readonly onGone?: () => void;
  /** Shared by the servers of a worker. */
  readonly waitOrder?: WaitOrder | undefined;
  /** Shared with the watchdog of a worker. */
  readonly answerClaims?: AnswerClaims | undefined;
  readonly observers?: Observers | undefined;
  readonly forwarding?: Forwarding | undefined;
  /** In lower case. */
  readonly requestIdHeader?: string;
  /** What the app takes beyond requests. */
  readonly extras?: Extras | undefined;
  /** Counts the connections of all servers of the worker; by default, of this one. */
  readonly countConnections?: () => number;
}
