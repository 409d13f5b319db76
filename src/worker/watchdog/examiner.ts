/**
 * Answers an operator's questions about a worker: where its threads are, what they spend their time on, what they allocate. It
 * runs in the watchdog's thread and reaches the main thread by the inspector, so it answers for a blocked one too.
 */

import type { Examination, Findings, RequestDetail, RunningList, RunningRequest } from '../../ipc/messages.ts';
import { type CpuProfile, type Profiles, profileEdgeMs, type ThreadStack } from '../../ipc/profiles.ts';
import type { Allocations } from './allocations.ts';
import type { Captured, Captures } from './capture.ts';
import { openSession } from './main-sessions.ts';
import { explainSilence, isMainThreadRunning, mainThreadWaitMs, wait } from './patience.ts';
import { beginPause, endPause, inspecting } from './pause-lock.ts';
import { forgetOptimised, startProfile } from './profiler.ts';
import { type Timed, withCpu } from './running.ts';
import { detailsExpression, runningExpression, threadsExpression } from './shared.ts';
import type { ThreadTimes } from './thread-times.ts';
import { waiting } from './waiting.ts';

export interface ExaminerOptions {
  /** Set if allocations are sampled. */
  readonly allocations?: Pick<Allocations, 'growth' | 'profile'> | undefined;
  readonly captures: Captures;
  /** Running requests from shared memory, for when the main thread does not answer. */
  readonly requests: () => readonly RunningRequest[];
  /** The same, as an operator sees it. */
  readonly running: () => RunningList;
  /** Whether the main thread has been silent for so long that only the inspector reaches it. */
  readonly isBlocked: () => boolean;
  readonly times: ThreadTimes;
  /** Whether other threads run the app. */
  readonly hasThreads: boolean;
  readonly tell: (findings: Findings) => void;
}

/** A main thread that runs JavaScript pauses within 30 ms; on an overloaded machine it takes longer. */
const answerMs = 1000;
/** If it gets no processor, it has at most this many times that. */
const starvedTimes = 2;
/** An idle thread may run its next piece of JavaScript much later. */
const idleMs = 50;
/** For the way to the main thread and back. */
const wayMs = 100;
/** For the list of requests: a main thread that runs JavaScript answers within 10 ms. */
const listMs = 60;
const checkMs = 50;
/**
 * tsgun's own timers run some times a second. An idle thread pauses where it next runs anything, which is mostly one of these: so each of
 * them is named `tsgun…`.
 */
const ownTimer = /^at tsgun[A-Z]\w* /;
const inDebugger = 'stopped in a debugger';
/** Mean bytes between two samples: V8's default. */
const heapIntervalBytes = 32 * 1024;
const unpaused = 'not taken: it talks to the inspectors of the other threads';
/** Only the main thread can reach the others. */
const unreached = 'not known: the main thread, which would ask the others, does not answer';
/**
 * The limit for the start of a profile, and for its end. A thread in native code answers only when that returns. Where the main
 * thread gets no processor it is `profileEdgeMs`.
 */
const patienceMs = 2000;

export class Examiner {
  private readonly options: ExaminerOptions;
  /** Kinds of profiles that are being taken. */
  private readonly underWay = new Set<string>();

  constructor(options: ExaminerOptions) {
    this.options = options;
  }

  async examine(order: Examination): Promise<void> {
    const { type, id } = order;
    const { tell } = this.options;
    // Lists of requests do not disturb each other, and take little time.
    if (type === 'requests') return tell({ type: 'findings', id, running: await this.running() });
    if (this.underWay.has(type))
      return tell({
        type: 'findings',
        id,
        error: `another ${type} of this worker is under way: try again when it has ended`,
      });
    this.underWay.add(type);
    try {
      if (type === 'stacks') tell({ type: 'findings', id, ...(await this.stacks()) });
      else if (type === 'profile') tell({ type: 'findings', id, ...(await this.profiles(order.ms)) });
      else if (type === 'heap') tell({ type: 'findings', id, heap: await this.heap(order.ms) });
      else tell({ type: 'findings', id, growth: (await this.options.allocations?.growth()) ?? [] });
    } catch (error) {
      tell({ type: 'findings', id, error: (error as Error).message });
    } finally {
      this.underWay.delete(type);
    }
  }

  /** @param ms how long the main thread may take; a client that waits for an answer has less time than a log line */
  async stacks(ms = answerMs): Promise<{ stacks: ThreadStack[]; requests: readonly RunningRequest[] }> {
    const { stack, value } = await captureMain(this.options.captures, ms);
    // Not at the same time: the question runs as JavaScript, in which the main thread would be paused.
    const others = await this.askMain<ThreadStack[]>(`stacks(${ms})`, ms + wayMs);
    const running = typeof value === 'string' ? (JSON.parse(value) as RunningRequest[]) : this.options.requests();
    const unknown = this.options.hasThreads ? [{ thread: 'other threads', stack: unreached }] : [];
    return { stacks: [{ thread: 'main', stack }, ...(others ?? unknown)], requests: running };
  }

  /** From the main thread, which knows most about them; if it does not answer, from shared memory. */
  private async running(): Promise<RunningList> {
    try {
      return await withSession(async (post) => {
        const options = { expression: detailsExpression, returnByValue: true, silent: true };
        const { result } = await post<{ result?: { value?: unknown } }>('Runtime.evaluate', options, listMs);
        const list = JSON.parse(result?.value as string) as RunningList<RequestDetail & Timed>;
        return withCpu(list, this.options.times);
      });
    } catch {
      return this.options.running();
    }
  }

  /** Takes at most twice `profileEdgeMs` longer than that. */
  async profiles(ms: number): Promise<Profiles> {
    const [main, others] = await Promise.all([
      withSession(async (post) => {
        const endAt = performance.now() + ms;
        await Promise.all(startProfile.map((method) => post(method)));
        // If it takes too long, the profile names the callers of functions that were inlined before it began.
        await Promise.all(forgetOptimised.map((method) => post(method, {}, ms))).catch(() => {});
        await sleep(Math.max(0, endAt - performance.now()));
        return (await post<{ profile: CpuProfile }>('Profiler.stop')).profile;
      }),
      this.askMain<Profiles>(`profiles(${ms})`, ms + profileEdgeMs + wayMs),
    ]);
    const { profiles, missing } = others ?? {
      profiles: [],
      missing: this.options.hasThreads ? [`other threads: ${unreached}`] : [],
    };
    return { profiles: [{ thread: 'main', profile: main }, ...profiles], missing };
  }

  private heap(ms: number): Promise<object> {
    const { allocations } = this.options;
    // Samples are taken all the time. To stop a profile here would stop them.
    if (allocations !== undefined) return allocations.profile();
    return withSession(async (post) => {
      const start = post('HeapProfiler.startSampling', { samplingInterval: heapIntervalBytes });
      await Promise.all([post('HeapProfiler.enable'), start]);
      await sleep(ms);
      return (await post<{ profile: object }>('HeapProfiler.stopSampling')).profile;
    });
  }

  /** What the main thread says about the other threads. @returns undefined or null if it is blocked, late, or still boots */
  private askMain<T>(question: string, ms: number): Promise<T | null | undefined> {
    const { isBlocked } = this.options;
    if (isBlocked()) return Promise.resolve(undefined);
    const ask = async (post: Post) => {
      const options = {
        expression: threadsExpression(question),
        awaitPromise: true,
        returnByValue: true,
        silent: true,
      };
      const { result } = await post<{ result?: { value?: unknown } }>('Runtime.evaluate', options, ms);
      return JSON.parse(result?.value as string) as T | null;
    };
    // From the start: it is JavaScript, too, in which another question may not pause the main thread.
    const asked = inspecting(() => withSession(ask));
    return new Promise((resolve) => {
      // The main thread may block only now.
      const timer = setInterval(() => isBlocked() && end(undefined), checkMs);
      const end = (answer: T | null | undefined) => {
        clearInterval(timer);
        resolve(answer);
      };
      asked.then(end, () => end(undefined));
    });
  }
}

/** The stack of the main thread, with the requests that run in it, if it says so. */
function captureMain(captures: Captures, ms: number): Promise<Captured> {
  if (!beginPause()) return Promise.resolve({ stack: unpaused, value: undefined });
  return new Promise((resolve) => {
    const end = (stack: string, value?: unknown) => {
      isWanted = false;
      stopWaiting();
      resolve({ stack, value });
    };
    const patience = { ms, mostMs: starvedTimes * ms, waitedMs: mainThreadWaitMs };
    const stopWaiting = wait(patience, (silence) => end(explainSilence(silence)));
    let isWanted = true;
    captures.run({
      expression: runningExpression,
      isWanted: () => isWanted,
      idleMs,
      isRunning: isMainThreadRunning,
      onEnd: (captured) => {
        endPause();
        if (captured === undefined || ownTimer.test(captured.stack)) end(waiting);
        else end(captured.stack, captured.value);
      },
      onForeign: () => {
        endPause();
        end(inDebugger);
      },
    });
  });
}

type Post = <T = unknown>(method: string, params?: object, ms?: number) => Promise<T>;

async function withSession<T>(use: (post: Post) => Promise<T>): Promise<T> {
  const session = openSession();
  const post: Post = (method, params = {}, ms = patienceMs) =>
    new Promise((resolve, reject) => {
      const mostMs = ms === patienceMs ? profileEdgeMs : ms;
      const stopWaiting = wait({ ms, mostMs, waitedMs: mainThreadWaitMs }, (silence) =>
        reject(new Error(`the main thread does not answer: ${explainSilence(silence)} (${method})`)),
      );
      session.post(method, params, (error: Error | null, result?: object) => {
        stopWaiting();
        if (error === null) resolve(result as never);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  try {
    return await use(post);
  } finally {
    session.disconnect();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
