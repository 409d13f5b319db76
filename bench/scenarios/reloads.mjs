/** Deploys under full load: raw clients that repeat nothing and forgive nothing (storm/client.mjs). */

import { performance } from 'node:perf_hooks';
import { badDayColumns, count, onABadDay, seconds, served } from '../lib/bad-day.mjs';
import { loadCores } from '../lib/peer-server.mjs';
import { quantile } from '../lib/statistics.mjs';
import { Load } from '../storm/context.mjs';

const clients = { keepAlive: 32, close: 8, thinkers: 0, prefix: '/release' };
const reloads = { full: 20, quick: 5 };
const answersBetween = 200;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'reloads',
  title: 'Twenty deploys under load',
  about:
    '40 clients that send their next request the moment the last one is answered, 8 of them on new connections; a new release is deployed twenty times, each when the one before is served to all',
  isMain: true,
  day: 'bad',
  rounds: 3,
  columns: [
    ...badDayColumns.slice(0, 3),
    { of: 'perDeploy', head: 'seconds per deploy', show: seconds },
    { of: 'deploys', head: 'deploys done', show: count },
  ],
  chart: { of: 'failed', unit: 'failed requests', better: 'less' },
  seconds: ({ isQuick }) => (isQuick ? 20 : 60),
  run: (peer, { isQuick }) =>
    onABadDay(peer, async (server) => {
      const load = new Load(server.port, clients, loadCores);
      const times = [];
      try {
        await load.answered(answersBetween);
        const all = isQuick ? reloads.quick : reloads.full;
        for (let number = 2; number < all + 2; number++) {
          const release = `release-${String(number).padStart(2, '0')}`;
          const startedAt = performance.now();
          server.setRelease(release);
          await server.reload();
          if (!(await served(server, release))) break;
          times.push((performance.now() - startedAt) / 1000);
          await load.answered(load.tally.ok + answersBetween);
        }
      } finally {
        await load.stop();
      }
      return {
        requests: load.tally.sent,
        failed: load.failures.length,
        failures: kindsOf(load.failures),
        perDeploy: quantile(times, 0.5),
        deploys: times.length,
      };
    }),
};

function kindsOf(failures) {
  const kinds = new Map();
  for (const { kind } of failures) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return Array.from(kinds, ([kind, times]) => `${times} × ${kind}`).join(', ');
}
