/** A request that aborts its worker, every three seconds. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ask, badDayColumns, onABadDay, underLoad } from '../lib/bad-day.mjs';

const everyMs = 3000;
const times = { full: 10, quick: 4 };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'crashes',
  title: 'A crash every three seconds',
  about:
    'a request aborts its worker, as a bug in native code would, every three seconds for half a minute; 100 others per second, each on a connection of its own',
  day: 'bad',
  rounds: 3,
  columns: badDayColumns,
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => 5 + (isQuick ? times.quick : times.full) * 3,
  run: (peer, { isQuick }) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        for (let count = 0; count < (isQuick ? times.quick : times.full); count++) {
          await sleep(everyMs);
          void ask(server.port, '/abort');
        }
        await sleep(everyMs);
        return {};
      }),
    ),
};
