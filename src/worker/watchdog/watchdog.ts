/** The main thread's side of the watchdog: it starts the thread, beats for it, and lists the running requests on demand. */

// Not the global, which an app may replace: fake timers must not look like a hang.
import { setTimeout } from 'node:timers';
import type { Worker as Thread } from 'node:worker_threads';
import { descriptorError } from '../../descriptors.ts';
import type { RequestDetail, RunningRequest } from '../../ipc/messages.ts';
import { every } from '../../ipc/ticks.ts';
import { beforeRealExit } from '../../node/real-exit.ts';
import { startThread, type ThreadCode } from '../thread-code.ts';
import { sampleAllocations } from './allocation-sampling.ts';
import { type AppThread, OtherThreads } from './other-threads.ts';
import { shareLock } from './pause-lock.ts';
import { listRunning } from './running.ts';
import { cell, detailsKey, pulseMs, runningKey, threadsKey, type WatchdogData } from './shared.ts';

export interface WatchdogOptions extends Omit<WatchdogData, 'shared'> {
  readonly code: ThreadCode;
  /** The threads that run an app, other than the main thread. */
  readonly threads: () => Iterable<AppThread>;
  /** May be called while the main thread is paused at any point, so it must change nothing. */
  readonly running: () => readonly RunningRequest[];
  /** As `running`; `head` identifies the request that an app thread says it runs. */
  readonly details: () => readonly (RequestDetail & { readonly head?: object })[];
  /** Hangs will have no stacks; the master's own deadline still holds. */
  readonly onFailure: (error: unknown) => void;
}

/** A log line could not list more. */
const maxRequests = 100;
const maxPathLength = 200;
/** The limit of the thread's heap, not its usual size: a large source map must fit. */
const heapMib = 256;
/** How long the end of the process waits for the watchdog to close its inspector sessions. It takes a few milliseconds. */
const closeMs = 100;
/** The start is tried again after this time if there was no descriptor for the thread. */
const retryMs = 1000;

/**
 * From this call on, a long silence is reported.
 * @returns a function to call once the worker is ready: from then on, a silence may count as a hang
 */
export function startWatchdog({ code, running, details, threads, onFailure, ...data }: WatchdogOptions): () => void {
  if (data.watchesMemory) sampleAllocations();
  const shared = new SharedArrayBuffer(cell.count * Int32Array.BYTES_PER_ELEMENT);
  const cells = new Int32Array(shared);
  cells[cell.isBooting] = 1;
  shareLock(cells);
  let thread: Thread | undefined;
  const begin = () => {
    thread = start(code, { ...data, shared }, fail);
  };
  const fail = (error: unknown) => {
    thread = undefined;
    // The thread failed before it ran: to start, it opens descriptors and reads its files.
    if (descriptorError(error) === undefined) onFailure(error);
    else setTimeout(begin, retryMs).unref();
  };
  begin();
  beforeRealExit(() => thread !== undefined && closeSessions(thread, cells));
  const tell = () =>
    JSON.stringify(
      running()
        .slice(0, maxRequests)
        .map((request) => ({ ...request, path: request.path.slice(0, maxPathLength) })),
    );
  Object.defineProperty(globalThis, Symbol.for(runningKey), { value: tell });
  const list = () => JSON.stringify(listRunning(details(), threads()));
  Object.defineProperty(globalThis, Symbol.for(detailsKey), { value: list });
  Object.defineProperty(globalThis, Symbol.for(threadsKey), { value: new OtherThreads(threads) });
  /** The examiner takes a stack that begins with `tsgun` for an idle process. */
  const tsgunBeat = () => void Atomics.add(cells, cell.beats, 1);
  every(pulseMs, tsgunBeat);
  return () => void Atomics.store(cells, cell.isBooting, 0);
}

/** See `main-sessions.ts`. */
function closeSessions(thread: Thread, cells: Int32Array): void {
  Atomics.store(cells, cell.isEnding, 1);
  if (Atomics.load(cells, cell.sessions) === 0) return;
  thread.postMessage('close');
  const deadline = performance.now() + closeMs;
  for (;;) {
    const left = deadline - performance.now();
    const open = Atomics.load(cells, cell.sessions);
    if (open === 0 || left <= 0) return;
    Atomics.wait(cells, cell.sessions, open, left);
  }
}

function start(code: ThreadCode, workerData: WatchdogData, onFailure: (error: unknown) => void): Thread | undefined {
  try {
    const thread = startThread(code, {
      name: 'tsgun watchdog',
      workerData,
      // Modules that are preloaded into the app's process do not belong in this thread.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapMib, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    });
    thread.on('error', onFailure);
    thread.unref();
    return thread;
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}
