/** What the main thread and its watchdog agree on. */

export interface WatchdogData {
  /** One 32-bit cell: how often the main thread has beaten. */
  readonly shared: SharedArrayBuffer;
  /** The table of the requests that run. */
  readonly requests: SharedArrayBuffer;
  /** Which clients have had no byte of an answer: see `http/wire/answer-claims.ts`. */
  readonly answers: SharedArrayBuffer;
  /** The pipe to the master. */
  readonly fd: number;
  readonly timeoutMs: number;
  /** After which a request is slow; 0: never. */
  readonly slowMs: number;
  /** Whether this worker samples what it allocates. */
  readonly watchesMemory: boolean;
  /** Whether the main thread runs the app, and no other does. */
  readonly runsApp: boolean;
  /** How the files of its CPU profiles begin. */
  readonly profiles: string;
  readonly graceMs: number;
}

/** How often the main thread counts up, for its watchdog to see. */
export const pulseMs = 100;
const shortestStallMs = 250;
const longestCheckMs = 250;

/** Silence that is worth a line in the log. */
export function stallMsOf(timeoutMs: number): number {
  return Math.max(timeoutMs / 3, shortestStallMs);
}

export function checkIntervalMs(timeoutMs: number): number {
  return Math.min(longestCheckMs, stallMsOf(timeoutMs) / 4);
}

/** Where the main thread keeps the function that returns what runs; the inspector calls it while the thread is paused. */
export const runningKey = 'tsgun.running';
/** Where it keeps what asks its other threads: see `other-threads.ts`. */
export const threadsKey = 'tsgun.threads';
export const threadsExpression = (question: string) => `globalThis[Symbol.for('${threadsKey}')]?.${question} ?? '[]'`;

/** Where it keeps the function that tells an operator what runs. */
export const detailsKey = 'tsgun.details';
export const detailsExpression = `globalThis[Symbol.for('${detailsKey}')]?.()`;

export const runningExpression = `globalThis[Symbol.for('${runningKey}')]?.()`;
