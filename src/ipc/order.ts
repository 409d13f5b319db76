/** What the master tells a worker before it starts: in its environment, so that it is there from the first line on. */

import type { SettingName, Settings } from '../config/settings.ts';
import type { ErrorReport, RunOutcome } from '../errors.ts';
import type { CountersPlace } from './counters.ts';
import type { Slot } from './scoreboard.ts';

/** What a worker accepts on: a bound socket by its descriptor, or an address to share through cluster. */
export type WorkerSocket = { readonly address: string; readonly isTls?: boolean } & (
  | { readonly fd: number }
  | { readonly host: string; readonly port: number; readonly ipv6Only: boolean }
  | { readonly path: string }
);

/** The user and group that a worker takes on once it has what needs root. */
export interface Identity {
  readonly gid: number;
  /** Undefined: only the group changes. Name and home are of an account, if the number has one. */
  readonly user:
    | { readonly uid: number; readonly name: string | undefined; readonly home: string | undefined }
    | undefined;
}

/** A worker's order, in its environment. */
export interface WorkerOrder {
  /** No other living worker has it; a later one may. For names of files alone. */
  readonly seat: number;
  /** Its first number among the workers: see the message `renumbered`. */
  readonly worker: number;
  readonly generation: number;
  readonly app: string;
  /** The app's own arguments: `process.argv` from index 2 on. */
  readonly appArguments: readonly string[];
  /** The user's own script, which is run in the worker too and calls `run` with the app there. */
  readonly script?: string | undefined;
  /** The results of that script's earlier calls of `run`. */
  readonly earlierRuns?: readonly RunOutcome[] | undefined;
  /** Where its hooks are: in a config module, which it loads too, or in the script's call of `run`. */
  readonly hooksFrom?: { readonly file: string } | 'script' | undefined;
  /** Its working directory. */
  readonly directory: string;
  readonly identity: Identity | undefined;
  /** Its file mode mask. */
  readonly umask: number;
  readonly settings: Settings;
  /** Those that the user has set: an app's own server has no say there. */
  readonly chosen: readonly SettingName[];
  readonly sockets: readonly WorkerSocket[];
  /** The worker's end of its watchdog's pipe. */
  readonly watchdogFd: number;
  readonly slot?: Slot;
  /** Why the app cannot be served: the worker answers with this error in its place. */
  readonly failure?: ErrorReport | undefined;
  /** Whether this is the worker of its generation that samples what it allocates. */
  readonly samplesAllocations: boolean;
  /** Where it counts, if that is wanted. */
  readonly counters?: CountersPlace;
}

export const orderVariable = 'TSGUN_WORKER_ORDER';
