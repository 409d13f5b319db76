/** Keeps the wanted number of threads: starts them, replaces those that end, and stops them all. */

// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import { descriptorLimit } from '../../descriptors.ts';
import { type ErrorReport, report } from '../../errors.ts';
import type { Found } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { ProgramSurroundings } from '../surroundings.ts';
import type { ThreadCode } from '../thread-code.ts';
import { captureStack, inNativeCode } from '../watchdog/thread-stack.ts';
import type { Watch } from './answer-ring.ts';
import { bootError, earlyExit, ThreadHandle } from './handle.ts';
import type { FromThread } from './messages.ts';
import type { Relay } from './relay.ts';

export interface CrewOptions {
  readonly code: ThreadCode;
  readonly source: AppSource;
  readonly settings: Settings;
  readonly surroundings: ProgramSurroundings;
  readonly log: Logger;
  readonly watch: Watch;
  readonly onMessage: (thread: ThreadHandle, message: FromThread | undefined) => void;
  /** The thread can be given requests from now on. */
  readonly onReady: (thread: ThreadHandle) => void;
  /** The thread has ended. Its `given` still holds the requests that it had. */
  readonly onEnd: (thread: ThreadHandle, error: Error) => void;
  /** There is no thread any more, and there will be none. */
  readonly onLost: () => void;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/**
 * Each thread opens many files at once while it loads the app. If the limit of descriptors is lower than this, threads boot one
 * after the other.
 */
const manyDescriptors = 256;

export class ThreadCrew {
  /** All threads, including those that boot or end. */
  readonly threads = new Set<ThreadHandle>();
  /** What the threads report about the app. */
  found: Found = { interface: '' };
  private readonly options: CrewOptions;
  private isStopping = false;
  private failedBoots = 0;
  /** While the first threads boot: called when one is ready or has failed. */
  private onBoot: ((error: Error | undefined) => void) | undefined = undefined;

  constructor(options: CrewOptions) {
    this.options = options;
  }

  /** @throws AppLoadError with the app's error, if it does not load */
  async start(): Promise<void> {
    const { threads } = this.options.settings;
    const atOnce = (descriptorLimit() ?? Number.POSITIVE_INFINITY) < manyDescriptors ? 1 : threads;
    await new Promise<void>((resolve, reject) => {
      let missing = threads;
      this.onBoot = (error) => {
        if (error !== undefined) reject(error);
        else if (--missing === 0) resolve();
        else if (this.threads.size < threads) this.spawn();
      };
      for (let count = 0; count < atOnce; count++) this.spawn();
    });
    this.onBoot = undefined;
  }

  /** The stack of a thread that loads the app, if its code does not return. */
  async whereItLoads(): Promise<string | undefined> {
    for (const thread of this.threads) {
      const stack = thread.isBooting ? await captureStack(thread.worker) : undefined;
      if (stack !== undefined && stack !== inNativeCode) return stack;
    }
    return undefined;
  }

  /** Resolves when the last thread has ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(Array.from(this.threads, (thread) => thread.stop()));
  }

  /** The thread that has this request, if the thread still runs. */
  threadOf(relay: Pick<Relay, 'thread'> | undefined): ThreadHandle | undefined {
    for (const thread of this.threads) if (thread === relay?.thread) return thread;
    return undefined;
  }

  /** Ends a thread wherever it is in its code. Another one takes its place without waiting for that. */
  async replace(thread: ThreadHandle): Promise<void> {
    thread.isReplaced = true;
    this.spawn();
    await thread.kill();
  }

  /** The thread has loaded its app. */
  welcome(thread: ThreadHandle, found: Found): void {
    this.found = found;
    thread.isServing = true;
    thread.hasServed = true;
    this.failedBoots = 0;
    this.onBoot?.(undefined);
    if (this.isStopping) void thread.stop();
    else this.options.onReady(thread);
  }

  /** The thread could not load its app. */
  refuse(thread: ThreadHandle, error: ErrorReport): void {
    this.failBoot(thread, bootError(error));
    void thread.kill();
  }

  private spawn(): void {
    if (this.isStopping) return;
    const { code, source, settings, surroundings, watch, onMessage } = this.options;
    const onExit = (thread: ThreadHandle, code: number, error: unknown) => this.reap(thread, code, error);
    try {
      this.threads.add(new ThreadHandle({ code, source, settings, surroundings, watch, onMessage, onExit }));
    } catch (error) {
      // The system has no thread or no descriptor for it.
      this.fail(error as Error);
    }
  }

  private reap(thread: ThreadHandle, code: number, error: unknown): void {
    this.threads.delete(thread);
    if (!thread.hasServed && !thread.isReplaced && !this.isStopping) this.failBoot(thread, earlyExit(code, error));
    const mustReplace = !thread.isReplaced && !this.isStopping;
    const why = error instanceof Error ? error : new Error(`the app ended its thread with code ${code}`);
    if (mustReplace) {
      const { message, stack } = report(why);
      this.options.log.say('error', { code, error: message, stack }, 'a thread ended: it is being replaced');
      this.spawn();
    }
    this.options.onEnd(thread, why);
  }

  /**
   * At the start, one thread's failure fails the worker. Later the other threads serve on, and the start is tried again after a
   * pause: the app's file may have changed meanwhile, for example. If the last thread fails, the worker fails, and the master
   * replaces it.
   */
  private failBoot(thread: ThreadHandle, error: Error): void {
    if (thread.isReplaced) return;
    thread.isReplaced = true;
    this.fail(error);
  }

  private fail(error: Error): void {
    if (this.onBoot !== undefined) return this.onBoot(error);
    const { message, stack } = report(error);
    this.options.log.say('error', { error: message, stack }, 'a thread could not be replaced');
    if (![...this.threads].some((each) => each.isServing || each.isBooting)) {
      this.options.onLost();
      throw error;
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.failedBoots++);
    setTimeout(() => this.spawn(), pauseMs).unref();
  }
}
