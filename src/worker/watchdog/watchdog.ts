/** The main thread's side of the watchdog: it starts the thread, beats for it, and lists the running requests on demand. */

// Not the globals, which an app may replace: fake timers must not look like a hang.
import { setInterval, setTimeout } from 'node:timers';
import { descriptorError } from '../../descriptors.ts';
import type { RequestDetail, RunningRequest } from '../../ipc/messages.ts';
import { startThread, type ThreadCode } from '../thread-code.ts';
import { sampleAllocations } from './allocation-sampling.ts';
import { type AppThread, OtherThreads } from './other-threads.ts';
import { listRunning } from './running.ts';
import { detailsKey, pulseMs, runningKey, threadsKey, type WatchdogData } from './shared.ts';

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
const heapMib = 128;
/** The start is tried again after this time if there was no descriptor for the thread. */
const retryMs = 1000;

/** From this call on, silence counts. */
export function startWatchdog({ code, running, details, threads, onFailure, ...data }: WatchdogOptions): void {
  if (data.watchesMemory) sampleAllocations();
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const counter = new Int32Array(shared);
  const fail = (error: unknown) => {
    // The thread failed before it ran: to start, it opens descriptors and reads its files.
    if (descriptorError(error) === undefined) onFailure(error);
    else setTimeout(() => start(code, { ...data, shared }, fail), retryMs).unref();
  };
  start(code, { ...data, shared }, fail);
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
  const tsgunBeat = () => void Atomics.add(counter, 0, 1);
  setInterval(tsgunBeat, pulseMs).unref();
}

function start(code: ThreadCode, workerData: WatchdogData, onFailure: (error: unknown) => void): void {
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
  } catch (error) {
    onFailure(error);
  }
}
