/** What the master and its workers say to each other: a discriminated union per direction. */

import type { Settings } from '../config/settings.ts';
import type { DescriptorError } from '../descriptors.ts';
import type { ErrorReport, RunOutcome } from '../errors.ts';
import type { Slot } from './scoreboard.ts';

/** Why a worker exited, as the log says it. */
export type ExitReason =
  | 'reload'
  | 'max_requests'
  | 'max_memory'
  | 'max_lifetime'
  | 'hung'
  | 'crashed'
  | 'killed'
  | 'boot_failed'
  | 'scaled_down'
  | 'shutdown';

/** What a worker says of itself at intervals. */
export interface Beat {
  /** Answered so far. */
  readonly requests: number;
  /** Not answered yet. */
  readonly running: number;
  /** Its resident memory a moment ago; 0 where it is not known. */
  readonly memoryBytes: number;
}

/** What a worker took its app for. */
export interface Taken {
  readonly interface: string;
  /** What the URL of an address begins with at which it is served. */
  readonly scheme: string;
}

/** From a worker. */
export type WorkerMessage =
  /** It accepts connections. */
  | ({ readonly type: 'ready' } & Taken)
  /** Its first request has come: whatever ends it now, it did not die of its boot. */
  | { readonly type: 'serving' }
  /** It is alive. */
  | ({ readonly type: 'beat' } & Beat)
  /** It can take a connection, or it cannot for now; from a worker that the master accepts for. */
  | { readonly type: 'idle'; readonly isIdle: boolean }
  /** It has the connection that it was sent. */
  | { readonly type: 'taken' }
  /** It could not come up, and is about to exit. */
  | { readonly type: 'boot_failed'; readonly error: ErrorReport }
  /** It accepts no more connections. */
  | { readonly type: 'draining' }
  | ({ readonly type: 'short' } & Shortage)
  /** It must be replaced and drains by itself: a signal told it to leave, or an error escaped the app. */
  | { readonly type: 'leaving'; readonly reason: 'killed' | 'crashed' };

/** A worker has run out of something. */
export interface Shortage {
  readonly of: 'descriptors' | 'connections';
  /** What noticed it; `room`: the descriptors that are left do not allow all of `--worker-connections`. */
  readonly where: 'accept' | 'room' | 'app' | 'fork';
  /** Of the descriptors: whose limit it is. */
  readonly code?: DescriptorError | undefined;
  /** The connections that it holds at once. */
  readonly connections?: number | undefined;
}

/**
 * What an idle connection gets, so that a request that is on its way is still answered. A client that sends one in the very
 * moment of the close loses it: where other workers go on, it pays to wait until most connections have had their next
 * request, whose answer announces the close.
 */
export const idleGraceMs = { stop: 1000, replacement: 5000 } as const;

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
  /** What it does now, as it was asked. */
  | ({ readonly type: 'report' } & Hang)
  /** Its silence so far is not its own: it was suspended, or stands in a debugger. */
  | { readonly type: 'excused' };

export interface Hang {
  readonly silentMs: number;
  /** Innermost frame first, one per line. */
  readonly stack: string;
  readonly requests: readonly RunningRequest[];
}

/** To that thread, over the same pipe. */
export type WatchdogOrder =
  /** Report what the main thread does now. */
  { readonly type: 'report' };

/** To a worker. */
export type MasterMessage =
  /**
   * Finish what runs, in `graceMs`, then exit; where the whole service stops, with all that has connected until now. Idle
   * connections are closed after `idleGraceMs`.
   */
  | { readonly type: 'retire'; readonly graceMs: number; readonly idleGraceMs: number; readonly isStop: boolean }
  /** Close what is idle at once, and exit when what runs is done, in `graceMs`. */
  | { readonly type: 'quit'; readonly graceMs: number }
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

/** Who a worker becomes when it has what only root can get. */
export interface Identity {
  readonly gid: number;
  /** Undefined: only the group changes. Name and home are of an account, if the number has one. */
  readonly user:
    | { readonly uid: number; readonly name: string | undefined; readonly home: string | undefined }
    | undefined;
}

/** What a worker is started with, in its environment. */
export interface WorkerOrder {
  /** Its number among the workers. */
  readonly worker: number;
  readonly generation: number;
  readonly app: string;
  /** The app's own command line: `process.argv` from its third place on. */
  readonly appArguments: readonly string[];
  /** The user's own script, which is run in the worker too and calls `run` with the app there. */
  readonly script?: string | undefined;
  /** How that script's calls of `run` ended that came before. */
  readonly earlierRuns?: readonly RunOutcome[] | undefined;
  /** Where its hooks are: in a config module, which it loads too, or in what the script gives to `run`. */
  readonly hooksFrom?: { readonly file: string } | 'script' | undefined;
  /** Its working directory. */
  readonly directory: string;
  readonly identity: Identity | undefined;
  /** Its file mode mask. */
  readonly umask: number;
  readonly settings: Settings;
  readonly sockets: readonly WorkerSocket[];
  /** The worker's end of its watchdog's pipe. */
  readonly watchdogFd: number;
  readonly slot?: Slot;
}

export const orderVariable = 'TSGUN_WORKER_ORDER';
