/** A worker that the system kills, every second: as it does for memory. */

import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, count, onABadDay, underLoad } from '../lib/bad-day.mjs';
import { kill } from '../lib/processes.mjs';

const everyMs = 1000;
const times = { full: 20, quick: 8 };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'kills',
  title: 'A worker killed every second',
  about:
    '`kill -9` to one of the workers every second for 20 seconds; 100 requests per second, each on a connection of its own',
  isMain: true,
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'killed', head: 'killed', show: count }],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => 6 + (isQuick ? times.quick : times.full),
  run: (peer, { isQuick }) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        let killed = 0;
        for (let time = 0; time < (isQuick ? times.quick : times.full); time++) {
          await sleep(everyMs);
          if (kill(server.workers()[0])) killed++;
        }
        await sleep(2 * everyMs);
        if (killed === 0) throw new Error('no worker was found');
        return { killed };
      }),
    ),
};
