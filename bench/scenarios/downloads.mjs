/** A deploy while clients download. */

import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, count, onABadDay, served, underLoad } from '../lib/bad-day.mjs';
import { download } from '../lib/downloads.mjs';

const clients = 8;
const bytes = 16 * 1024 ** 2;
/** What is written and not yet read may be some megabytes, in the kernel: the server must still be amid it when it is told to leave. */
const bytesPerSecond = 2 * 1024 ** 2;
const patienceMs = 40_000;
const beforeMs = 1000;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'downloads',
  title: 'A deploy with long downloads',
  about:
    '8 clients each download 16 MB at 2 MB per second; after a second a new release is deployed. 100 other requests per second, each on a connection of its own',
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns,
    { of: 'whole', head: 'whole downloads, of 8', show: count, spread: true },
    { of: 'cuts', head: 'the others' },
    { of: 'deployed', head: 'the deploy was served' },
  ],
  chart: { of: 'whole', unit: 'whole downloads', better: 'more' },
  seconds: () => 18,
  run: (peer) =>
    onABadDay(peer, (server) =>
      underLoad(server, async () => {
        const wish = { path: '/download', bytes, bytesPerSecond, patienceMs };
        const all = Array.from({ length: clients }, () => download(server.port, wish));
        await sleep(beforeMs);
        server.setRelease('release-02');
        await Promise.resolve(server.reload()).catch(() => {});
        const [isServed, faults] = await Promise.all([served(server, 'release-02'), Promise.all(all)]);
        const cuts = faults.filter((fault) => fault !== '');
        return {
          ...{ whole: clients - cuts.length, cuts: [...new Set(cuts)].join(', ') },
          deployed: isServed ? 'yes' : 'no',
        };
      }),
    ),
};
