/** A release that starts well and answers wrongly, and the one that mends it. */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, onABadDay, seconds, underLoad } from '../lib/bad-day.mjs';

const beforeMs = 2000;
const faultyMs = { full: 30_000, quick: 15_000 };
/** A trial needs requests to judge by. */
const canarySeconds = 10;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'faulty-deploy',
  title: 'A bad release that starts',
  about: `a release that starts and then answers every request with 500; 30 seconds later the good one is deployed. 100 requests per second, each on a connection of its own. Who has a setting for it tries a new release for ${canarySeconds} seconds on one worker`,
  isMain: true,
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'faulty', head: 'from the first 500 to the last', show: seconds }],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => (isQuick ? 27 : 42),
  run: (peer, { isQuick }) =>
    onABadDay(
      peer,
      (server) =>
        underLoad(server, async () => {
          await sleep(beforeMs);
          server.setRelease('faulty');
          const startedAt = performance.now();
          // A deploy that is taken back may say so, whenever it is.
          const deployed = Promise.resolve(server.reload()).catch(() => {});
          await sleep(isQuick ? faultyMs.quick : faultyMs.full);
          await deployed;
          server.setRelease('release-02');
          await Promise.resolve(server.reload()).catch(() => {});
          await sleep(3 * beforeMs);
          return (results) => ({ faulty: spanOf(results, startedAt) });
        }),
      { canarySeconds },
    ),
};

/** Seconds between the first and the last answer of the bad release. */
function spanOf(results, startedAt) {
  const times = results
    .filter(({ status, sentAt }) => status === 500 && sentAt > startedAt)
    .map(({ sentAt }) => sentAt);
  return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
}
