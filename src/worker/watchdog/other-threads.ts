/**
 * What the main thread says about the other threads that run an app. The watchdog asks for it by the inspector, so each answer
 * is JSON. Only the main thread can reach the other threads' inspectors.
 */

import { Session } from 'node:inspector';
// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { Worker } from 'node:worker_threads';
import {
  type CpuProfile,
  type Profiles,
  profileEdgeMs,
  type ThreadProfile,
  type ThreadStack,
} from '../../ipc/profiles.ts';
import { explainSilence, threadWaitMs, wait } from './patience.ts';
import { inspecting } from './pause-lock.ts';
import { forgetOptimised, startProfile } from './profiler.ts';
import { captureStack } from './thread-stack.ts';

/** A thread that runs JavaScript pauses within 30 ms. One without a request gets no more time. */
const stackMs = 100;
const patienceMs = 2000;

/** A thread that runs an app, and the request that it runs. */
export interface AppThread {
  readonly worker: Worker;
  readonly request: { readonly method: string; readonly path: string } | undefined;
  /** The system's number of the thread, if known. */
  readonly systemId?: number | undefined;
  /** When it began that request, by `performance.now()`. */
  readonly since?: number;
}

export class OtherThreads {
  private readonly threads: () => Iterable<AppThread>;

  constructor(threads: () => Iterable<AppThread>) {
    this.threads = threads;
  }

  /** @param ms for a thread with a request, which takes longer on a busy machine */
  async stacks(ms = stackMs): Promise<string> {
    const threads = [...this.threads()];
    const stacks = threads.map(async ({ worker, request }): Promise<ThreadStack> => {
      const stack =
        (await captureStack(worker, request === undefined ? stackMs : ms)) ?? 'not known: this Node has no inspector';
      const { method, path } = request ?? {};
      return { thread: nameOf(worker), stack, ...(path === undefined ? {} : { request: `${method} ${path}` }) };
    });
    return JSON.stringify(await Promise.all(stacks));
  }

  async profiles(ms: number): Promise<string> {
    const taken = await inspecting(() => Promise.all([...this.threads()].map((thread) => profile(thread, ms))));
    const found: Profiles = {
      profiles: taken.filter((each) => typeof each !== 'string'),
      missing: taken.filter((each) => typeof each === 'string'),
    };
    return JSON.stringify(found);
  }
}

/** As Node names it, from 1. */
export const nameOf = ({ threadId }: Worker) => `thread ${threadId}`;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
}

/** @returns why there is none, as a text */
function profile({ worker: thread, systemId }: AppThread, ms: number): Promise<ThreadProfile | string> {
  const title = `[worker ${thread.threadId}]`;
  const session = new Session();
  session.connect();
  return new Promise<ThreadProfile | string>((resolve) => {
    const waitedMs = () => (systemId === undefined ? 0 : threadWaitMs(systemId));
    const patience = { ms: ms + patienceMs, mostMs: ms + profileEdgeMs, waitedMs };
    const without = (why: string) => `${nameOf(thread)} gave no profile: ${why}`;
    const stopWaiting = wait(patience, (silence) => resolve(without(explainSilence(silence))));
    const end = (found: ThreadProfile | string) => {
      stopWaiting();
      resolve(found);
    };
    let sessionId = '';
    const tell = (method: string, id: number) => {
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) });
    };
    const beginning = [...startProfile, ...forgetOptimised];
    const stopId = beginning.length;
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      if (!params.workerInfo.title.startsWith(title)) return;
      sessionId = params.sessionId;
      beginning.forEach(tell);
      setTimeout(() => tell('Profiler.stop', stopId), ms);
    });
    session.on(
      'NodeWorker.detachedFromWorker',
      ({ params }) => params.sessionId === sessionId && end(without('it has ended')),
    );
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== sessionId) return;
      const { id, result } = JSON.parse(params.message) as Answer;
      if (id !== stopId) return;
      const found = (result as { profile?: CpuProfile } | undefined)?.profile;
      end(found === undefined ? without('its inspector refused') : { thread: nameOf(thread), profile: found });
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }).finally(() => session.post('NodeWorker.disable', () => session.disconnect()));
}
