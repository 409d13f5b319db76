/** A worker's signs of life, with what the master must know of it: its request count and its memory. */

// Not the global, which an app may replace: fake timers must not look like a hang.
import { setInterval } from 'node:timers';
import { sendToMaster } from './channel.ts';

const longestBeatMs = 1000;
const countMs = 100;

/** The longest silence of a worker that is well. */
export function beatEveryMs(timeoutMs: number): number {
  return timeoutMs === 0 ? longestBeatMs : Math.min(longestBeatMs, timeoutMs / 3);
}

/**
 * Beats at least three times in what the master calls silence, and soon after the request count has changed. Stops with
 * the process.
 */
export function startHeartbeat(timeoutMs: number, countRequests: () => number): void {
  const beatMs = beatEveryMs(timeoutMs);
  let sent = 0;
  let sinceBeat = 0;
  setInterval(() => {
    sinceBeat += countMs;
    const requests = countRequests();
    if (requests === sent && sinceBeat < beatMs) return;
    sent = requests;
    sinceBeat = 0;
    void sendToMaster({ type: 'beat', requests, memoryBytes: process.memoryUsage.rss() });
  }, countMs).unref();
}
