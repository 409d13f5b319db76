/** A worker's heartbeat, with its counts of requests and its memory. */

import { sendToMaster } from './channel.ts';
import type { Beat } from './messages.ts';
import { every } from './ticks.ts';

const longestBeatMs = 1000;
const countMs = 100;

/** The longest time between two beats of a healthy worker. */
export function beatIntervalMs(timeoutMs: number): number {
  return timeoutMs === 0 ? longestBeatMs : Math.min(longestBeatMs, timeoutMs / 3);
}

/**
 * Beats at least three times within the master's limit of silence, and soon after a count of requests has changed. Stops with
 * the process.
 * @param measureMemory returns resident bytes; on Linux it opens a file, and fails without a free descriptor
 */
export function startHeartbeat(
  timeoutMs: number,
  count: () => Omit<Beat, 'memoryBytes'>,
  measureMemory: () => number = process.memoryUsage.rss,
): void {
  const beatMs = beatIntervalMs(timeoutMs);
  let sent = { requests: 0, running: 0 };
  let sinceBeat = 0;
  let memoryBytes = 0;
  /** Its name says that nothing else runs: see `examiner.ts`. */
  const tsgunReport = () => {
    sinceBeat += countMs;
    const now = count();
    const isNews = now.requests !== sent.requests || now.running !== sent.running;
    if (!isNews && sinceBeat < beatMs) return;
    sent = now;
    sinceBeat = 0;
    try {
      memoryBytes = measureMemory();
    } catch {
      // Send the last figure again.
    }
    void sendToMaster({ type: 'beat', ...now, memoryBytes });
  };
  // The first beat goes out at once: until then the master would report a memory of 0.
  sinceBeat = beatMs;
  tsgunReport();
  every(countMs, tsgunReport);
}
