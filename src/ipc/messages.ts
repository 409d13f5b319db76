/** The messages between the master and its workers: a discriminated union per direction. */

import type { Settings } from '../config/settings.ts';
import type { DescriptorError } from '../descriptors.ts';
import type { ErrorReport } from '../errors.ts';
import type { Growth, Profiles, ThreadStack } from './profiles.ts';

/** Why a worker exited, in the log's words. */
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
  | 'canary'
  | 'shutdown';

/** What a worker reports at intervals. */
export interface Beat {
  /** Requests answered so far. */
  readonly requests: number;
  /** Requests not answered yet. */
  readonly running: number;
  /** Its resident memory in bytes, a moment ago; 0 if unknown. */
  readonly memoryBytes: number;
}

/** What an app was found to be. */
export interface Found {
  readonly interface: string;
  /** The server that listens, where that is served, for people. */
  readonly serves?: string | undefined;
  /** Where the app wanted to listen, if that is not where tsgun does: a port or a path. */
  readonly askedFor?: number | string | undefined;
}

/** The interface that a worker recognised. */
export interface Taken extends Found {
  /** The scheme of the URL at which the app is served. */
  readonly scheme: string;
}

/** What a boot waits for, for people. */
export interface Awaited {
  readonly why: string;
  /** Whether something better may have been said before. */
  readonly isGuess?: boolean;
  /** Where code is that has not returned, if that is why. */
  readonly stack?: string | undefined;
}

/** From a worker. */
export type WorkerMessage =
  /** It is ready to take certificates, and waits for them. */
  | { readonly type: 'certificates' }
  /** It accepts connections. */
  | ({ readonly type: 'ready' } & Taken)
  /** Its first request has come: from now on, its end is not a failure to boot. */
  | { readonly type: 'serving' }
  /** It is alive. */
  | ({ readonly type: 'beat' } & Beat)
  /** Whether it can take a connection now; only if the master accepts for it. */
  | { readonly type: 'idle'; readonly isIdle: boolean }
  /** It has the connection that it was sent. */
  | { readonly type: 'taken' }
  /** It has not booted for some seconds, and this is why, for people. */
  | ({ readonly type: 'waits' } & Awaited)
  /** It failed to boot, and is about to exit. */
  | { readonly type: 'boot_failed'; readonly error: ErrorReport }
  /** Files that it has loaded as modules, or has not found; only under `--reload`. */
  | { readonly type: 'loaded'; readonly files: readonly string[] }
  /** It accepts no more connections. */
  | { readonly type: 'draining' }
  /** It has finished, and is blocked while its heap is written. */
  | { readonly type: 'snapshot_begins' }
  | ({ readonly type: 'snapshot' } & SnapshotEnd)
  | ({ readonly type: 'short' } & Shortage)
  /** It drains by itself and must be replaced: it got a signal, or an error escaped the app. */
  | { readonly type: 'leaving'; readonly reason: 'killed' | 'crashed'; readonly error?: ErrorReport };

/** How a heap snapshot ended: where it is, or why there is none. */
export type SnapshotEnd =
  | { readonly path: string; readonly bytes: number; readonly error?: undefined }
  | { readonly error: string };

/** A worker has run out of something. */
export interface Shortage {
  readonly of: 'descriptors' | 'connections';
  /** Where it was noticed; `room`: too few descriptors are left for all of `--worker-connections`. */
  readonly where: 'accept' | 'room' | 'app' | 'fork';
  /** For descriptors: whether the limit is the process's or the system's. */
  readonly code?: DescriptorError | undefined;
  /** The connections that it holds at once. */
  readonly connections?: number | undefined;
}

/**
 * The grace of an idle connection, so that a request on its way is still answered. A client that sends one at the very
 * moment of the close loses it. If other workers continue, it pays to wait until most connections have had their next
 * request, whose answer announces the close.
 */
export const idleGraceMs = { stop: 1000, replacement: 5000 } as const;

/** A running request of a worker. */
export interface RunningRequest {
  readonly method: string;
  readonly path: string;
  /** For how long. */
  readonly ms: number;
}

/** How many requests a line of the log lists: all of them could make a line of a megabyte. */
export const mostListed = 20;

/** What an operator sees of a running request. */
export interface RequestDetail extends RunningRequest {
  /** As sent, without the question mark. */
  readonly query?: string;
  /** Address and port; not there for a unix socket, or where the main thread is in native code. */
  readonly client?: string;
  /** The thread that has begun with it, in the threaded class. */
  readonly thread?: string;
  /** CPU time of that thread since then; in the other classes of the main thread, which requests of the async class share. */
  readonly cpuMs?: number;
  /** How long it waited for a thread, where that is measured. */
  readonly queueMs?: number;
  /** Of the bodies, so far. */
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
}

/** The requests that run in a worker. */
export interface RunningList<T = RequestDetail> {
  /** The oldest first; a limited number. */
  readonly requests: readonly T[];
  /** How many run beside those. */
  readonly more: number;
}

/** From a worker's watchdog thread, over its own pipe, which works while the main thread is blocked. */
export type WatchdogMessage =
  /** Silent for a part of the timeout; it may recover. */
  | ({ readonly type: 'stalled' } & Hang)
  /** Silent for the whole timeout: the master kills it. */
  | ({ readonly type: 'hung' } & Hang)
  /** The answer to the master's question what the main thread is doing. */
  | ({ readonly type: 'report' } & Hang)
  /** Its silence so far does not count: it was suspended, or is in a debugger. */
  | { readonly type: 'excused' }
  | Slow
  | Findings;

/** A request has taken longer than `--slow-request`. */
export interface Slow {
  readonly type: 'slow';
  readonly method: string;
  readonly path: string;
  /** Until now: it may take longer. */
  readonly ms: number;
  /** Where its thread was; or that it waited. */
  readonly stack: string;
  /** The file of a CPU profile of that moment. */
  readonly profile?: string;
}

/** The answer to an examination, by the id of its order. */
export type Findings = { readonly type: 'findings'; readonly id: number } & (
  | { readonly stacks: readonly ThreadStack[]; readonly requests: readonly RunningRequest[] }
  | Profiles
  | { readonly running: RunningList }
  /** A sampled allocation profile, in the form of Chrome's `.heapprofile`. */
  | { readonly heap: object }
  | { readonly growth: readonly Growth[] }
  | { readonly error: string }
);

/** A request that was answered in its worker's place, as far as it is known. */
export interface AnsweredRequest {
  /** Empty if the request line is not known. */
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly minorVersion: 0 | 1;
  /** How long it had taken. */
  readonly ms: number;
  readonly sentBytes: number;
  /** The other end of its connection. Empty for a unix socket, or if it is not known. */
  readonly address: string;
  readonly port: string;
}

export interface Hang {
  readonly silentMs: number;
  /** The requests whose clients the watchdog has answered with a 503. */
  readonly answered?: readonly AnsweredRequest[];
  /** Innermost frame first, one per line. */
  readonly stack: string;
  readonly requests: readonly RunningRequest[];
}

/** To that thread, over the same pipe. */
export type WatchdogOrder =
  /** Report what the main thread does now. `isLast`: the worker is to be gone, and is killed when it has answered. */
  | { readonly type: 'report'; readonly isLast: boolean }
  /** For so long, silence is no hang: its cause is known. */
  | { readonly type: 'excuse'; readonly ms: number }
  | Examination;

/** What a worker can be asked at any time, hung or not. */
export type Examination =
  | { readonly type: 'stacks'; readonly id: number }
  | { readonly type: 'requests'; readonly id: number }
  /** For `ms`. */
  | { readonly type: 'profile'; readonly id: number; readonly ms: number }
  | { readonly type: 'heap'; readonly id: number; readonly ms: number }
  /** Where the memory of its main thread has grown since it was ready; only with a limit of its memory. */
  | { readonly type: 'growth'; readonly id: number };

/** To a worker. */
export type MasterMessage =
  /**
   * Finish what runs, in `graceMs`, then exit; if the whole service stops, serve all that have connected until now. Idle
   * connections are closed after `idleGraceMs`.
   */
  | { readonly type: 'retire'; readonly graceMs: number; readonly idleGraceMs: number; readonly isStop: boolean }
  /** Close what is idle at once, and exit when what runs is done, in `graceMs`. */
  | { readonly type: 'quit'; readonly graceMs: number }
  /** A connection to one of its addresses; the socket comes with it. */
  | { readonly type: 'connection'; readonly address: string }
  /** The service is about to stop; until then it goes on. Who asks for its health is told. */
  | { readonly type: 'unready' }
  /** What TLS needs: first when the worker asks for it, then when the files have changed. */
  | { readonly type: 'certificates'; readonly files: TlsFiles }
  /** Its number among the workers from now on: the one that had it is gone. */
  | { readonly type: 'renumbered'; readonly worker: number }
  /** Reopen the log files: someone has moved them away. */
  | { readonly type: 'reopen' }
  /** Finish, write a heap snapshot, exit. */
  | { readonly type: 'snapshot' }
  /** Fail on purpose: stand still, or accept no connection for a while. */
  | { readonly type: 'chaos'; readonly kind: 'stall' | 'slow-accept'; readonly ms: number }
  /** Another worker is gone: write the lines of these requests into the access log, in its name. */
  | {
      readonly type: 'answered';
      readonly pid: number;
      readonly worker: number;
      readonly requests: readonly AnsweredRequest[];
    }
  /** Log from this level up. */
  | { readonly type: 'log_level'; readonly level: Settings['logLevel'] };

/** Certificates and keys as text. They travel by this channel alone: an environment can be read by others. */
export interface TlsFiles {
  /** The first is for clients that name no host, or one that no certificate is for. PEM; keys are not encrypted. */
  readonly pairs: readonly { readonly cert: string; readonly key: string }[];
  /** Who signs clients' certificates; PEM. */
  readonly ca: string | undefined;
  /** 48 bytes in base64: the same in all workers, so that each resumes the sessions of all. */
  readonly ticketKey: string;
}
