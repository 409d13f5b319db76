/** Clients that send their request one byte a second. */

import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, count, onABadDay, seconds, underLoad } from '../lib/bad-day.mjs';
import { startDripping } from '../lib/drippers.mjs';
import { quantile } from '../lib/statistics.mjs';

const clients = { full: 1000, quick: 300 };
const lengthMs = { full: 30_000, quick: 10_000 };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'slow-clients',
  title: 'Slow clients',
  about:
    '1,000 clients send one byte of their head a second, for 30 seconds; 100 other requests per second, each on a connection of its own',
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns,
    { of: 'cut', head: 'slow ones cut', show: count },
    { of: 'cutAfter', head: 'after (median)', show: seconds },
  ],
  chart: { of: 'failed', unit: 'failed requests of the others', better: 'less' },
  seconds: ({ isQuick }) => 8 + (isQuick ? lengthMs.quick : lengthMs.full) / 1000,
  run: (peer, { isQuick }) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        const dripping = await startDripping(server.port, isQuick ? clients.quick : clients.full);
        await sleep(isQuick ? lengthMs.quick : lengthMs.full);
        const times = dripping.cuts.map((cut) => cut.seconds);
        dripping.stop();
        return { cut: times.length, ...(times.length > 0 && { cutAfter: quantile(times, 0.5) }) };
      }),
    ),
};
