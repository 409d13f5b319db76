/**
 * The watchdog may not pause the main thread while that talks to the inspectors of other threads: paused in the callback of one of
 * their messages, Node loses the message that resumes it, and it spins for ever. Each side sets its own cell before it reads the
 * other's, so never do both go on.
 */

// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import { cell } from './shared.ts';

let cells: Int32Array | undefined;
const pollMs = 5;
/** They take longer than a pause. */
const mostPolls = 600;

/** @param shared cells that both threads have */
export function shareLock(shared: Int32Array): void {
  cells = shared;
}

/** Runs `use` when the main thread is not paused. Called by the main thread, and by the watchdog for what it asks of that. */
export async function inspecting<T>(use: () => Promise<T>): Promise<T> {
  if (cells === undefined) return use();
  Atomics.add(cells, cell.inspecting, 1);
  try {
    for (let polls = 0; Atomics.load(cells, cell.pausing) > 0 && polls < mostPolls; polls++)
      await new Promise<void>((resolve) => void setTimeout(resolve, pollMs));
    return await use();
  } finally {
    Atomics.sub(cells, cell.inspecting, 1);
  }
}

/** In the watchdog. @returns whether it may pause the main thread now; then it calls `endPause` later */
export function beginPause(): boolean {
  if (cells === undefined) return true;
  Atomics.add(cells, cell.pausing, 1);
  if (Atomics.load(cells, cell.inspecting) === 0) return true;
  endPause();
  return false;
}

export function endPause(): void {
  if (cells !== undefined) Atomics.sub(cells, cell.pausing, 1);
}
