/** What a worker class is to the rest: the one contract that every class keeps. */

import type { Handler } from '../../app/handler.ts';
import type { AskedInterface } from '../../app/names.ts';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import type { End } from '../../http/ends.ts';
import type { ShowFailure } from '../../http/h1/host.ts';
import type { Observers } from '../../http/observers.ts';
import type { AnswerClaims } from '../../http/wire/answer-claims.ts';
import type { Found } from '../../ipc/messages.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import type { Slot } from '../../ipc/scoreboard.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';
import type { ProgramSurroundings } from '../surroundings.ts';
import type { Suspects } from '../suspects.ts';
import type { AppThread } from '../watchdog/other-threads.ts';
import type { OnError } from './failures.ts';
import type { Serving } from './serving.ts';
import type { Tls } from './tls.ts';

/** What a worker class is made of. */
export interface WorkerContext {
  /** The app's export, of which the interface makes what serves. Undefined for a class that loads it elsewhere. */
  readonly app: unknown;
  /** What the export is for. */
  readonly asked: AskedInterface;
  /** Where it comes from. */
  readonly source: AppSource;
  readonly settings: Settings;
  /** For a class that loads the app elsewhere. */
  readonly surroundings?: ProgramSurroundings | undefined;
  readonly sockets: readonly WorkerSocket[];
  readonly log: Logger;
  /** Where a socket is for TLS. */
  readonly tls?: Tls | undefined;
  /** Told what the worker has run out of. */
  readonly shortages: Shortages;
  /** The user's hook, told what the app fails with. */
  readonly onError?: OnError | undefined;
  /** What clients see of a failure, under `--reload`. */
  readonly showFailure?: ShowFailure | undefined;
  /** Wraps what takes a request when its head was read: the user's hooks hear of each that comes, and of its end. */
  readonly observe: (handle: Handler) => Handler;
  /** Wraps what gives a request to the app, or to its threads: from then on it counts as running. */
  readonly track: (handle: Handler) => Handler;
  /** Called when a raw connection begins. @returns what is called at its end */
  readonly onBegin: (peer: End) => () => void;
  /** Of all servers: who wants to hear of requests that are over. */
  readonly observers: Observers;
  /** Shared with the watchdog: which clients it may answer. */
  readonly answerClaims?: AnswerClaims | undefined;
  /** Where it says to the other workers how many connections it has. */
  readonly slot?: Slot | undefined;
}

export interface Worker {
  /** What the app was taken for. */
  readonly interface: string;
  /** The same with what else is known, of a class that loads the app elsewhere. */
  readonly found?: Found | undefined;
  readonly serving: Serving;
  /** The requests that an error which has escaped the app may come from. */
  suspects?(): Suspects;
  /** Those that run the app, beside the main thread. */
  threads?(): Iterable<AppThread>;
  /** Loads the app, where that has not been done for it. */
  load?(): Promise<void>;
  /** Begins to accept; resolves when it does. */
  start(): Promise<void>;
  /**
   * Accepts no more. What has connected already and waits in the kernel may be taken first, which takes a moment; it must
   * be where the whole service stops, as nobody else will.
   */
  stopAccepting(isStop: boolean): void | Promise<void>;
  /** Whether the app's own code for its end runs, of a class that loads the app elsewhere. */
  readonly isEnding?: boolean;
  /** Finishes what runs; resolves when no connection is left. */
  drain(idleGraceMs: number): Promise<void>;
}

export interface WorkerClass {
  (context: WorkerContext): Worker;
  /** Whether the app is loaded in the main thread; this is so where it is not said. */
  readonly loadsApp?: boolean;
}

/** How a class serves each kind of app. */
export interface ClassDescriptor {
  requests(): Promise<WorkerClass>;
  /** Not there where a connection cannot be given to what runs the app. */
  connections?(): Promise<WorkerClass>;
}
