/** What the master and its workers say to each other: a discriminated union per direction. */

import type { Settings } from '../config/settings.ts';
import type { ErrorReport } from '../errors.ts';

/** From a worker. */
export type WorkerMessage =
  /** It accepts connections. */
  | { readonly type: 'ready'; readonly interface: string }
  /** It is alive; `requests` is its count so far. */
  | { readonly type: 'beat'; readonly requests: number }
  /** It could not come up, and is about to exit. */
  | { readonly type: 'boot_failed'; readonly error: ErrorReport }
  /** It has let go of its listening sockets for a while, and wants them back. */
  | { readonly type: 'listen_again' }
  /** It accepts no more connections. */
  | { readonly type: 'draining' }
  /** It must be replaced and drains by itself: a signal told it to leave, or an error escaped the app. */
  | { readonly type: 'leaving'; readonly reason: 'killed' | 'crashed' };

/** To a worker. */
export type MasterMessage =
  /** Finish what runs, then exit. */
  | { readonly type: 'retire' }
  /** A listening socket, by its place in the order; the handle travels along. */
  | { readonly type: 'socket'; readonly index: number }
  /** Close what is idle at once, and exit when what runs is done. */
  | { readonly type: 'quit' };

/** What a worker accepts on: a bound socket by its descriptor, or an address to share through cluster. */
export type WorkerSocket = { readonly address: string } & (
  | { readonly fd: number }
  | { readonly host: string; readonly port: number }
);

/** What a worker is started with, in its environment. */
export interface WorkerOrder {
  readonly id: number;
  readonly app: string;
  readonly settings: Settings;
  readonly sockets: readonly WorkerSocket[];
}

export const orderVariable = 'TSGUN_WORKER_ORDER';
