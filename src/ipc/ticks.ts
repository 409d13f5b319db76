/**
 * All that a worker does regularly, by one timer. An idle process that wakes up spends 80 µs of CPU time on it: with a timer for
 * each task, an idle worker took half as much again.
 */

// Not the globals, which an app may replace: fake timers must not look like a hang.
import { clearInterval, setInterval } from 'node:timers';

// Fake timers replace this method, too.
const clock = performance.now.bind(performance);

/** What tasks may ask for is a multiple of it. */
const tickMs = 50;

interface Task {
  readonly run: () => void;
  readonly ms: number;
  dueAt: number;
}

const tasks = new Set<Task>();
let timer: NodeJS.Timeout | undefined;

/** Calls `run` every `ms`, and keeps no process alive. @returns ends it */
export function every(ms: number, run: () => void): () => void {
  const task = { run, ms, dueAt: clock() + ms };
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
  const now = clock();
  for (const task of tasks) {
    if (now < task.dueAt) continue;
    // With the tick that is nearest to it: all tasks of one interval run together.
    task.dueAt = now + task.ms - tickMs / 2;
    try {
      task.run();
    } catch (error) {
      // As if each had a timer of its own.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
