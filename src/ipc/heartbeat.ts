/** A worker's signs of life, with what the master must know of it: its requests and its memory. */

// Not the global, which an app may replace: fake timers must not look like a hang.
import { setInterval } from 'node:timers';
import { sendToMaster } from './channel.ts';
import type { Beat } from './messages.ts';

const longestBeatMs = 1000;
const countMs = 100;

/** The longest silence of a worker that is well. */
export function beatEveryMs(timeoutMs: number): number {
  return timeoutMs === 0 ? longestBeatMs : Math.min(longestBeatMs, timeoutMs / 3);
}

/**
 * Beats at least three times in what the master calls silence, and soon after a count of requests has changed. Stops with
 * the process.
 */
export function startHeartbeat(timeoutMs: number, count: () => Omit<Beat, 'memoryBytes'>): void {
  const beatMs = beatEveryMs(timeoutMs);
  let sent = { requests: 0, running: 0 };
  let sinceBeat = 0;
  setInterval(() => {
    sinceBeat += countMs;
    const now = count();
    const isNews = now.requests !== sent.requests || now.running !== sent.running;
    if (!isNews && sinceBeat < beatMs) return;
    sent = now;
    sinceBeat = 0;
    void sendToMaster({ type: 'beat', ...now, memoryBytes: process.memoryUsage.rss() });
  }, countMs).unref();
}
