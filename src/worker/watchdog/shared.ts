/** What the main thread gives to its watchdog, and the names that both use. */

export interface WatchdogData {
  /** Cells of 32 bits, by `cell`. */
  readonly shared: SharedArrayBuffer;
  /** The table of running requests. */
  readonly requests: SharedArrayBuffer;
  /** The clients that have had no byte of an answer: see `http/wire/answer-claims.ts`. */
  readonly answers: SharedArrayBuffer;
  /** The pipe to the master. */
  readonly fd: number;
  readonly timeoutMs: number;
  /** Until the worker is ready, a silence of this length is reported, and does not count as a hang. */
  readonly longBootMs: number;
  /** A request is slow after this time; 0: never. */
  readonly slowMs: number;
  /** Whether this worker samples its allocations. */
  readonly watchesMemory: boolean;
  /** Whether the app runs in the main thread alone. */
  readonly runsApp: boolean;
  /** The beginning of the paths of CPU profiles. */
  readonly profiles: string;
  readonly graceMs: number;
}

/**
 * What stands in which cell: the main thread's beats, the watchdog's inspector sessions, whether the process ends, whether the
 * worker still boots, and who inspects or pauses whom: see `pause-lock.ts`.
 */
export const cell = { beats: 0, sessions: 1, isEnding: 2, isBooting: 3, inspecting: 4, pausing: 5, count: 6 } as const;

/** How often the main thread beats. */
export const pulseMs = 100;
const shortestStallMs = 250;
const longestCheckMs = 250;

/** A silence of this length gets a log line. */
export function stallMsOf(timeoutMs: number): number {
  return Math.max(timeoutMs / 3, shortestStallMs);
}

export function checkIntervalMs(timeoutMs: number): number {
  return Math.min(longestCheckMs, stallMsOf(timeoutMs) / 4);
}

/**
 * The global name of the main thread's function that returns the running requests. The inspector calls it while the thread is
 * paused.
 */
export const runningKey = 'tsgun.running';
/** The global name of what asks the other threads: see `other-threads.ts`. */
export const threadsKey = 'tsgun.threads';
export const threadsExpression = (question: string) => `globalThis[Symbol.for('${threadsKey}')]?.${question} ?? 'null'`;

/** The global name of the function that lists the running requests for an operator. */
export const detailsKey = 'tsgun.details';
export const detailsExpression = `globalThis[Symbol.for('${detailsKey}')]?.()`;

export const runningExpression = `globalThis[Symbol.for('${runningKey}')]?.()`;
