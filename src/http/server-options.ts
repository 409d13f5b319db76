/** What a server of connections is made with. */

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
  /** See `Host`; 0 where it is not given: what the kernel does not take is enough. */
  readonly heldAnswerBytes?: number;
  readonly heldAnswers?: HeldAnswers | undefined;
  /** Takes each request; must not throw. */
  readonly handle: (exchange: Exchange) => void | Promise<void>;
  /** A failure of the app, for the log. */
  readonly onFailure: (exchange: Exchange, error: unknown, isLate?: boolean) => void;
  /** See `Host`. */
  readonly showFailure?: ShowFailure | undefined;
  /** An answer that is not complete in its time and its grace. */
  readonly onTimeout?: OnTimeout;
  /** A connection will bring no further request: it ends, or has ended. Called once for each. */
  readonly onLastRequest?: (connection: object) => void;
  /** A connection has ended. */
  readonly onGone?: () => void;
  /** Shared by the servers of a worker. */
  readonly waitOrder?: WaitOrder | undefined;
  /** Shared with the watchdog of a worker. */
  readonly answerClaims?: AnswerClaims | undefined;
  readonly observers?: Observers | undefined;
  readonly forwarding?: Forwarding | undefined;
  /** In small letters. */
  readonly requestIdHeader?: string;
  /** What the app takes beyond requests. */
  readonly extras?: Extras | undefined;
  /** Connections of all servers of the app's; those of this one where it is the only one. */
  readonly countConnections?: () => number;
}
