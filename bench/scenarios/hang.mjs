/** One request that never returns, in one of two workers. */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, badDayColumns, isGood, onABadDay, underLoad } from '../lib/bad-day.mjs';

const beforeMs = 2000;
const watched = { full: 30_000, quick: 20_000 };
/** A healthy answer takes a few milliseconds. */
const lateMs = 1000;

/** The function's name in the apps, by their languages. */
const named = /spin_?forever/i;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'hang',
  title: 'An endless loop',
  about:
    'one request runs an endless loop; 100 others per second, each on a connection of its own, for 30 seconds. Who has a setting for it ends a silent worker after 10 seconds',
  isMain: true,
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns,
    {
      of: 'recovery',
      head: 'well again after',
      show: (value) => (value * 1000 < watched.full ? `${value.toFixed(1)} s` : 'not in that time'),
    },
    { of: 'named', head: 'the log names the function' },
  ],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => (isQuick ? 35 : 45),
  run: (peer, { isQuick }) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        await sleep(beforeMs);
        const hangAt = performance.now();
        void ask(server.port, '/hang');
        await sleep(isQuick ? watched.quick : watched.full);
        const until = performance.now();
        const isNamed = named.test(server.log());
        return (results) => {
          const bad = results.filter((each) => each.sentAt > hangAt && (!isGood(each) || each.ms > lateMs));
          const last = bad.length === 0 ? hangAt : Math.max(...bad.map(({ sentAt }) => sentAt));
          // One that is late in the last second says that it goes on.
          const recovery = until - last < 1000 ? watched.full : last - hangAt;
          return { recovery: recovery / 1000, named: isNamed ? 'yes' : 'no' };
        };
      }),
    ),
};
