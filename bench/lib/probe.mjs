/** An ordinary client beside the slow ones: a request every few milliseconds, and how long each took. */

import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOnce } from './servers.mjs';

const pauseMs = 5;
/** Every so many requests come on a connection of their own. */
const freshEvery = 5;

/**
 * @param {string} url
 * @returns {{ stop: () => Promise<{ count: number, p50: number, p99: number, max: number, errors: string[] }> }}
 */
export function startProbe(url) {
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  /** @type {number[]} milliseconds */
  const times = [];
  /** @type {Set<string>} */
  const errors = new Set();
  let isOver = false;
  const done = (async () => {
    for (let count = 1; !isOver; count++) {
      const startedAt = performance.now();
      try {
        const { status } = await fetchOnce(url, count % freshEvery === 0 ? {} : { agent: kept });
        if (status !== 200) errors.add(`answered ${status}`);
      } catch (error) {
        errors.add(String(error));
      }
      times.push(performance.now() - startedAt);
      await sleep(pauseMs);
    }
    kept.destroy();
  })();
  return {
    async stop() {
      isOver = true;
      await done;
      const sorted = times.toSorted((a, b) => a - b);
      const at = (part) => sorted[Math.floor((sorted.length - 1) * part)];
      return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1), errors: [...errors] };
    },
  };
}
