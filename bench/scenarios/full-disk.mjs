/** A disk that is full when the server logs. */

import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, onABadDay, served, underLoad } from '../lib/bad-day.mjs';
import { kill } from '../lib/processes.mjs';

const stepMs = { full: 8000, quick: 3000 };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'full-disk',
  title: 'A full log disk',
  about:
    "everything that is logged goes to `/dev/full`, where each write fails: the server's own log and access log, and a line of the app for each request, by its language's usual logger. 100 requests per second; amid them a deploy and a `kill -9` to a worker",
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'deployed', head: 'the deploy was served' }],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => 8 + (3 * (isQuick ? stepMs.quick : stepMs.full)) / 1000,
  run(peer, { isQuick }) {
    const pause = () => sleep(isQuick ? stepMs.quick : stepMs.full);
    const happen = (server) =>
      underLoad(
        server,
        async () => {
          await pause();
          server.setRelease('release-02');
          await Promise.resolve(server.reload()).catch(() => {});
          const isServed = await served(server, 'release-02', isQuick ? 15_000 : 30_000);
          await pause();
          kill(server.workers()[0]);
          await pause();
          return { deployed: isServed ? 'yes' : 'no' };
        },
        '/log',
      );
    return onABadDay(peer, happen, { logTo: '/dev/full' });
  },
};
