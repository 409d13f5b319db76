/**
 * A request that the app has not answered, for an error that escapes it: the error may come from this request. Node does
 * not say which request an error comes from, but it says what the failed code was triggered by.
 */

import type { Exchange } from './exchange.ts';

export interface Suspect {
  /** The async id of its connection: Node's trigger id of what the request's own code has started. */
  readonly asyncId: number | undefined;
  /** Whether the app can still answer it. */
  readonly isOpen: boolean;
  /** Whether a part of the answer is sent. */
  readonly isStarted: boolean;
  /** The client gets a 500, or its connection is cut if the answer has begun. */
  fail(error: unknown): void;
}

export function suspect(exchange: Exchange, asyncId?: number): Suspect {
  return {
    asyncId,
    get isOpen() {
      return !exchange.isEnded && !exchange.isGone;
    },
    get isStarted() {
      return exchange.isStarted;
    },
    fail(error) {
      // The server is about to leave.
      exchange.head.isKeepAlive = false;
      exchange.fail(error);
    },
  };
}
