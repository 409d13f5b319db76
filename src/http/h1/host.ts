/** What a connection needs of the server that it belongs to. */

import type { Carrier, Exchange } from '../exchange.ts';
import type { Limits, Timeouts } from '../limits.ts';

/**
 * @param ms since the request's head was read
 * @param end answers 504, or cuts the connection where the answer has begun
 */
export type OnTimeout = (exchange: Exchange, ms: number, end: () => void) => void;

/** Who is at the other end; empty texts on a unix socket. Texts, because that is what apps are told. */
export interface Peer {
  readonly address: string;
  readonly port: string;
}

export interface Host {
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly localAddress: string;
  readonly localPort: string;
  /** The coarse clock: milliseconds, as of the last sweep. */
  readonly now: number;
  readonly isDraining: boolean;
  /** What an idle connection gets while draining. */
  readonly idleGraceMs: number;
  /** Takes each request; must not throw. */
  readonly handle: (exchange: Exchange) => void;
  readonly onFailure: (exchange: Exchange, error: unknown) => void;
  readonly onTimeout: OnTimeout;
  /** The connection will bring no further request. Called once for each. */
  readonly onPart: ((connection: Carrier) => void) | undefined;
  /** When something that may take `ms` from now is late; 0 (no limit) stays 0. */
  deadlineIn(ms: number): number;
  /** The request is answered, or its connection was given away. */
  countRequest(exchange: Exchange): void;
  /** The connection has ended. */
  forget(connection: Carrier): void;
}
