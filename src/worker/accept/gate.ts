/**
 * The gate through which a worker's connections come. While it is shut, they wait in the accept queue, where every other worker
 * can take them and none is lost if this worker ends. When to shut it is decided elsewhere.
 */

import type { End } from '../../http/ends.ts';
import type { HttpServer } from '../../http/server.ts';
import type { Incoming } from '../../http/wire/wire.ts';

export interface Gate {
  readonly isOpen: boolean;
  /** Whether other workers can take what comes while it is shut. */
  readonly leavesToOthers: boolean;
  /** Descriptors that opening it takes, beside those of the connections. */
  readonly descriptorsToOpen: number;
  open(): void;
  /** May be called within `take`: then not one more connection is taken. */
  shut(): void;
  /** Shuts it for good. */
  close(): void;
}

/** Takes a connection for one of the servers. */
export type Take<S = HttpServer> = (server: S, incoming: Incoming, peer: End) => void;
