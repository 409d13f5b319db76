/** A release that cannot be loaded, and the one that mends it. */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, onABadDay, seconds, served, underLoad } from '../lib/bad-day.mjs';

const before = 2000;
const broken = { full: 15_000, quick: 6000 };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'broken-deploy',
  title: 'A broken deploy',
  about:
    'a release whose app throws when it is loaded; 15 seconds later the good one is deployed. 100 requests per second, each on a connection of its own',
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'mended', head: 'the good one serves all after', show: seconds }],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => (isQuick ? 15 : 25),
  run: (peer, { isQuick }) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        await sleep(before);
        server.setRelease('broken');
        // A deploy that fails may say so.
        await Promise.resolve(server.reload()).catch(() => {});
        await sleep(isQuick ? broken.quick : broken.full);
        const startedAt = performance.now();
        server.setRelease('release-02');
        await Promise.resolve(server.reload()).catch(() => {});
        if (!(await served(server, 'release-02'))) throw new Error('the good release never served all');
        return { mended: (performance.now() - startedAt) / 1000 };
      }),
    ),
};
