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
  /** It accepts no more connections. */
  | { readonly type: 'draining' }
  /** It must be replaced and drains by itself: a signal told it to leave, or an error escaped the app. */
  | { readonly type: 'leaving'; readonly reason: 'killed' | 'crashed' };

/** A request that a worker is at work on. */
export interface RunningRequest {
  readonly method: string;
  readonly path: string;
  /** For how long. */
  readonly ms: number;
}

/** From the thread that watches a worker's main thread, over a pipe of its own: it can speak while that one is blocked. */
export type WatchdogMessage =
  /** Silent for longer than is good; it may recover. */
  | ({ readonly type: 'stalled' } & Hang)
  /** Silent for the whole timeout: kill it. */
  | ({ readonly type: 'hung' } & Hang)
  /** Its silence so far is not its own: it was suspended, or stands in a debugger. */
  | { readonly type: 'excused' };

export interface Hang {
  readonly silentMs: number;
  /** Innermost frame first, one per line. */
  readonly stack: string;
  readonly requests: readonly RunningRequest[];
}

/** To a worker. */
export type MasterMessage =
  /** Finish what runs, then exit. */
  | { readonly type: 'retire' }
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
  /** The worker's end of its watchdog's pipe. */
  readonly watchdogFd: number;
}

export const orderVariable = 'TSGUN_WORKER_ORDER';
