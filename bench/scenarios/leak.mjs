/** An app that leaks memory. */

import { setTimeout as sleep } from 'node:timers/promises';
import { offer } from '../lib/arrivals.mjs';
import { badDayColumns, onABadDay, underLoad } from '../lib/bad-day.mjs';
import { proportionalBytes } from '../lib/processes.mjs';

const leaksPerSecond = 40;
const lengthMs = { full: 60_000, quick: 20_000 };
const sampleMs = 500;
const maxMemoryMib = 200;
/** A worker has leaked 100 MB by then. */
const maxRequests = 700;
const mib = (value) => `${value.toFixed(0)} MiB`;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'leak',
  title: 'A memory leak',
  about: `40 requests per second keep half a megabyte each for ever, for a minute; 100 others per second. Who has a setting for it limits a worker to ${maxMemoryMib} MiB, or else to about ${maxRequests} requests`,
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns,
    { of: 'peak', head: 'memory of all processes at the most (PSS)', show: mib, spread: true },
    { of: 'end', head: 'at the end', show: mib },
  ],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => 6 + (isQuick ? lengthMs.quick : lengthMs.full) / 1000,
  run(peer, { isQuick }) {
    const happen = (server) =>
      underLoad(server, async (results) => {
        const leaks = offer(server.port, leaksPerSecond, '/leak');
        const times = (isQuick ? lengthMs.quick : lengthMs.full) / sampleMs;
        const sizes = [];
        for (let time = 0; time < times; time++) {
          await sleep(sampleMs);
          sizes.push(memoryOf(server));
        }
        await leaks.stop();
        results.push(...leaks.results);
        return { peak: Math.max(...sizes), end: sizes.at(-1) };
      });
    return onABadDay(peer, happen, { maxMemoryMib, maxRequests });
  },
};

function memoryOf(server) {
  let bytes = 0;
  for (const pid of server.processes()) {
    try {
      bytes += proportionalBytes(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return bytes / 1024 ** 2;
}
