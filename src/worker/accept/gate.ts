/**
 * The gate through which a worker's connections come, and which it can shut for a while: what comes meanwhile waits in the
 * kernel, where every other worker can take it, and is not lost with this one. Knows nothing of when to shut it.
 */

import type { End } from '../../http/ends.ts';
import type { HttpServer } from '../../http/server.ts';
import type { Incoming } from '../../http/wire/wire.ts';

export interface Gate {
  readonly isOpen: boolean;
  /** Whether what comes while it is shut can go to other workers. */
  readonly leavesToOthers: boolean;
  /** Descriptors that it takes to open, beside those for what comes. */
  readonly descriptorsToOpen: number;
  open(): void;
  /** From within `take`, too: then not one connection more is taken. */
  shut(): void;
  /** Shuts it for good. */
  close(): void;
}

/** A connection, and which of the servers it is for. */
export type Take<S = HttpServer> = (server: S, incoming: Incoming, peer: End) => void;
