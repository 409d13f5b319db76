/** What the master and its workers say to each other: a discriminated union per direction. */

import type { Settings } from '../config/settings.ts';
import type { ErrorReport } from '../errors.ts';
import type { Place } from './board.ts';

/** From a worker. */
export type WorkerMessage =
  /** It accepts connections. */
  | { readonly type: 'ready'; readonly interface: string }
  /** It is alive; `requests` is its count so far, `memoryBytes` what it held in memory a moment ago. */
  | { readonly type: 'beat'; readonly requests: number; readonly memoryBytes: number }
  /** It can take a connection, or it cannot for now; from a worker that the master accepts for. */
  | { readonly type: 'idle'; readonly isIdle: boolean }
  /** It has the connection that it was sent. */
  | { readonly type: 'taken' }
  /** It could not come up, and is about to exit. */
  | { readonly type: 'boot_failed'; readonly error: ErrorReport }
  /** It accepts no more connections. */
  | { readonly type: 'draining' }
  /** It must be replaced and drains by itself: a signal told it to leave, or an error escaped the app. */
  | { readonly type: 'leaving'; readonly reason: 'killed' | 'crashed' };

/** To a worker. */
export type MasterMessage =
  /** Finish what runs, then exit; where the whole service stops, with all that has connected until now. */
  | { readonly type: 'retire'; readonly isStop: boolean }
  /** Close what is idle at once, and exit when what runs is done. */
  | { readonly type: 'quit' }
  /** A connection to one of its addresses; the socket comes with it. */
  | { readonly type: 'connection'; readonly address: string }
  /** Open the log files anew: someone has moved them away. */
  | { readonly type: 'reopen' };

/** What a worker accepts on: a bound socket by its descriptor, or an address to share through cluster. */
export type WorkerSocket = { readonly address: string } & (
  | { readonly fd: number }
  | { readonly host: string; readonly port: number; readonly ipv6Only: boolean }
  | { readonly path: string }
);

/** What a worker is started with, in its environment. */
export interface WorkerOrder {
  readonly id: number;
  readonly app: string;
  readonly settings: Settings;
  readonly sockets: readonly WorkerSocket[];
  readonly place?: Place;
}

export const orderVariable = 'TSGUN_WORKER_ORDER';
