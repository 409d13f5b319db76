/** The contract between worker classes and the rest of a worker. */

import type { Handler } from '../../app/handler.ts';
import type { AskedInterface } from '../../app/names.ts';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import type { End } from '../../http/ends.ts';
import type { ShowFailure } from '../../http/host.ts';
import type { Observers } from '../../http/observers.ts';
import type { AnswerClaims } from '../../http/wire/answer-claims.ts';
import type { Found } from '../../ipc/messages.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import type { Slot } from '../../ipc/scoreboard.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';
import type { Suspects } from '../ending/suspects.ts';
import type { ProgramSurroundings } from '../surroundings.ts';
import type { AppThread } from '../watchdog/other-threads.ts';
import type { OnError } from './failures.ts';
import type { Serving } from './serving.ts';
import type { Tls } from './tls.ts';

/** What a worker class is given. */
export interface WorkerContext {
  /** The app's export, from which the interface makes a handler. Undefined for a class that loads the app elsewhere. */
  readonly app: unknown;
  /** The interface that was asked for. */
  readonly asked: AskedInterface;
  /** Where the app comes from. */
  readonly source: AppSource;
  readonly settings: Settings;
  /** For a class that loads the app elsewhere. */
  readonly surroundings?: ProgramSurroundings | undefined;
  readonly sockets: readonly WorkerSocket[];
  readonly log: Logger;
  /** Set if a socket is for TLS. */
  readonly tls?: Tls | undefined;
  /** Reports what the worker has run out of. */
  readonly shortages: Shortages;
  /** The user's hook for the app's failures. */
  readonly onError?: OnError | undefined;
  /** What clients see of a failure, under `--reload`. */
  readonly showFailure?: ShowFailure | undefined;
  /** Wraps the handler of requests whose head was read: the user's hooks see each of them, and its end. */
  readonly observe: (handle: Handler) => Handler;
  /** Wraps the handler that gives a request to the app or its threads: from then on the request counts as running. */
  readonly track: (handle: Handler) => Handler;
  /** Called when a raw connection begins. @returns a function to call at its end */
  readonly onBegin: (peer: End) => () => void;
  /** Hear of the requests that end on any server. */
  readonly observers: Observers;
  /** Shared with the watchdog: the clients that it may answer. */
  readonly answerClaims?: AnswerClaims | undefined;
  /** Where the worker writes for the others how many connections it has. */
  readonly slot?: Slot | undefined;
}

export interface Worker {
  /** The app's interface. */
  readonly interface: string;
  /** The interface and what else is known of the app, for a class that loads it elsewhere. */
  readonly found?: Found | undefined;
  readonly serving: Serving;
  /** The requests that an escaped error may come from. */
  suspects?(): Suspects;
  /** The threads that run the app, other than the main thread. */
  threads?(): Iterable<AppThread>;
  /** Loads the app, for a class that does so itself. */
  load?(): Promise<void>;
  /** Meanwhile: the stack of code of the app that does not return, if there is any. */
  whereItLoads?(): Promise<string | undefined>;
  /** Begins to accept; resolves when it does. */
  start(): Promise<void>;
  /** Accepts none for a while, on purpose. Not there where that cannot be. */
  hold?(ms: number): void;
  /**
   * Accepts no more. It may first take the connections that wait in the accept queue, which takes a moment. When the whole
   * service stops, it must: no other worker will.
   */
  stopAccepting(isStop: boolean): void | Promise<void>;
  /** Whether the app's own shutdown code runs, for a class that loads the app elsewhere. */
  readonly isEnding?: boolean;
  /** Finishes what runs; resolves when no connection is left. */
  drain(idleGraceMs: number): Promise<void>;
}

export interface WorkerClass {
  (context: WorkerContext): Worker;
  /** False for a class that does not load the app in the main thread. */
  readonly loadsApp?: boolean;
}

/** How a class serves each kind of app. */
export interface ClassDescriptor {
  requests(): Promise<WorkerClass>;
  connections(): Promise<WorkerClass>;
}
