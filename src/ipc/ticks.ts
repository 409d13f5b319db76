/**
 * All that a worker does regularly, by one timer. An idle process that wakes up spends 80 µs of CPU time on it: with a timer for
 * each task, an idle worker took twice as much of a core.
 */

// Not the global, which an app may replace: fake timers must not look like a hang.
import { clearInterval, setInterval } from 'node:timers';

/** What tasks may ask for is a multiple of it. */
const tickMs = 50;

interface Task {
  readonly run: () => void;
  /** In ticks. */
  readonly interval: number;
}

const tasks = new Set<Task>();
let timer: NodeJS.Timeout | undefined;
let ticks = 0;

/** Calls `run` every `ms`, and keeps no process alive. @returns ends it */
export function every(ms: number, run: () => void): () => void {
  const task = { run, interval: ms / tickMs };
  tasks.add(task);
  timer ??= setInterval(tsgunTick, tickMs).unref();
  return () => {
    tasks.delete(task);
    if (tasks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
function tsgunTick(): void {
  ticks++;
  for (const { run, interval } of tasks) {
    if (ticks % interval !== 0) continue;
    try {
      run();
    } catch (error) {
      // As if each had a timer of its own.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
