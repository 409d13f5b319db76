/**
 * Answers what an operator asks about a worker: where its threads are, what they spend their time on, what they allocate.
 * Runs in the watchdog's thread and reaches the main thread by the inspector, so it answers for a blocked one too.
 */

import { Session } from 'node:inspector';
import type {
  CpuProfile,
  Examination,
  Findings,
  RequestDetail,
  RunningList,
  RunningRequest,
  ThreadProfile,
  ThreadStack,
} from '../../ipc/messages.ts';
import type { Allocations } from './allocations.ts';
import type { Captured, Captures } from './capture.ts';
import { type Timed, withCpu } from './running.ts';
import { detailsExpression, runningExpression, threadsExpression } from './shared.ts';
import type { ThreadTimes } from './thread-times.ts';

export interface ExaminerOptions {
  /** Where allocations are sampled. */
  readonly allocations?: Pick<Allocations, 'growth' | 'profile'> | undefined;
  readonly captures: Captures;
  /** From shared memory: those that run, where the main thread says nothing. */
  readonly requests: () => readonly RunningRequest[];
  /** The same, for an operator. */
  readonly running: () => RunningList;
  /** Whether the main thread has been silent for so long that it answers nothing but the inspector. */
  readonly isBlocked: () => boolean;
  readonly times: ThreadTimes;
  readonly tell: (findings: Findings) => void;
}

/** A main thread that runs JavaScript is stopped within 30 ms; on a machine with more to do than cores, it takes longer. */
const answerMs = 1000;
/** With nothing to run, the next piece of JavaScript may be a long time off. */
const idleMs = 50;
/** To the main thread and back. */
const wayMs = 100;
/** For the list of requests: a main thread that runs JavaScript answers within 10. */
const listMs = 60;
const checkMs = 50;
/** What we run there ourselves, some times a second: a thread that waits is stopped where it next runs anything. */
const ownTimer = /^at tsgun[A-Z]\w* /;
const waiting = 'waiting: it runs no JavaScript';
const inNative = 'in native code: no JavaScript answers';
const inDebugger = 'stopped in a debugger';
/** Of V8, in bytes between two samples: its default. */
const heapIntervalBytes = 32 * 1024;
/** For the start and the end of a profile. A thread in native code answers only when that has returned. */
const patienceMs = 2000;

export class Examiner {
  private readonly options: ExaminerOptions;
  /** Profiles that are being taken, by kind. */
  private readonly underWay = new Set<string>();

  constructor(options: ExaminerOptions) {
    this.options = options;
  }

  async examine(order: Examination): Promise<void> {
    const { type, id } = order;
    const { tell } = this.options;
    // Two do not disturb each other, and each is soon over.
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
      else if (type === 'profile') tell({ type: 'findings', id, profiles: await this.profiles(order.ms) });
      else if (type === 'heap') tell({ type: 'findings', id, heap: await this.heap(order.ms) });
      else tell({ type: 'findings', id, growth: (await this.options.allocations?.growth()) ?? [] });
    } catch (error) {
      tell({ type: 'findings', id, error: (error as Error).message });
    } finally {
      this.underWay.delete(type);
    }
  }

  /** @param ms how long the main thread may take; who waits for an answer has less time than a log line */
  async stacks(ms = answerMs): Promise<{ stacks: ThreadStack[]; requests: readonly RunningRequest[] }> {
    const { stack, value } = await captureMain(this.options.captures, ms);
    // Not beside it: the question runs as JavaScript, in which the main thread would be stopped.
    const others = await this.askMain<ThreadStack[]>(`stacks(${ms})`, ms + wayMs);
    const running = typeof value === 'string' ? (JSON.parse(value) as RunningRequest[]) : this.options.requests();
    return { stacks: [{ thread: 'main', stack }, ...(others ?? [])], requests: running };
  }

  /** By the main thread, which knows most of them, in a loop too; else by what is in shared memory. */
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

  async profiles(ms: number): Promise<ThreadProfile[]> {
    const [main, others] = await Promise.all([
      withSession(async (post) => {
        await post('Profiler.enable');
        await post('Profiler.start');
        await this.letPass(ms, post);
        return (await post<{ profile: CpuProfile }>('Profiler.stop')).profile;
      }),
      this.askMain<ThreadProfile[]>(`profiles(${ms})`, ms + 2 * patienceMs),
    ]);
    return [{ thread: 'main', profile: main }, ...(others ?? [])];
  }

  /** The profiler does not know the code of a loop that was optimised before it began: once, such code is thrown away. */
  private async letPass(ms: number, post: Post): Promise<void> {
    const endAt = performance.now() + ms;
    let isKnown = false;
    for (let left = ms; left > 0; left = endAt - performance.now()) {
      if (!isKnown && this.options.isBlocked()) {
        isKnown = true;
        await post('Profiler.startPreciseCoverage');
        await post('Profiler.stopPreciseCoverage');
      }
      await sleep(Math.min(checkMs, left));
    }
  }

  private heap(ms: number): Promise<object> {
    const { allocations } = this.options;
    // Samples are taken all the time, and to stop here would stop that.
    if (allocations !== undefined) return allocations.profile();
    return withSession(async (post) => {
      await post('HeapProfiler.enable');
      await post('HeapProfiler.startSampling', { samplingInterval: heapIntervalBytes });
      await sleep(ms);
      return (await post<{ profile: object }>('HeapProfiler.stopSampling')).profile;
    });
  }

  /** What the main thread says of its other threads. @returns undefined if it is blocked, or late */
  private askMain<T>(question: string, ms: number): Promise<T | undefined> {
    const { isBlocked } = this.options;
    if (isBlocked()) return Promise.resolve(undefined);
    const asked = withSession(async (post) => {
      const options = {
        expression: threadsExpression(question),
        awaitPromise: true,
        returnByValue: true,
        silent: true,
      };
      const { result } = await post<{ result?: { value?: unknown } }>('Runtime.evaluate', options, ms);
      return JSON.parse(result?.value as string) as T;
    });
    return new Promise((resolve) => {
      // It may be blocked only from now on.
      const timer = setInterval(() => isBlocked() && end(undefined), checkMs);
      const end = (answer: T | undefined) => {
        clearInterval(timer);
        resolve(answer);
      };
      asked.then(end, () => end(undefined));
    });
  }
}

/** Where the main thread is, and the requests that run in it, if it says so. */
function captureMain(captures: Captures, ms: number): Promise<Captured> {
  return new Promise((resolve) => {
    const end = (stack: string, value?: unknown) => {
      isWanted = false;
      clearTimeout(timer);
      resolve({ stack, value });
    };
    const timer = setTimeout(() => end(inNative), ms);
    let isWanted = true;
    captures.run({
      expression: runningExpression,
      isWanted: () => isWanted,
      idleMs,
      onEnd: (captured) => {
        if (captured === undefined || ownTimer.test(captured.stack)) end(waiting);
        else end(captured.stack, captured.value);
      },
      onForeign: () => end(inDebugger),
    });
  });
}

type Post = <T = unknown>(method: string, params?: object, ms?: number) => Promise<T>;

async function withSession<T>(use: (post: Post) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connectToMainThread();
  const post: Post = (method, params = {}, ms = patienceMs) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the main thread is in native code: no answer to ${method}`)),
        ms,
      );
      session.post(method, params, (error: Error | null, result?: unknown) => {
        clearTimeout(timer);
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
