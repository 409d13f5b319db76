/**
 * node:cluster as its documentation and usual guides have it: `node cluster.mjs WORKERS rr|none`. A worker that dies is forked anew; HUP forks
 * one in place of each, waits until it listens, and lets the one before finish.
 */

import cluster from 'node:cluster';
import { once } from 'node:events';

/** Ones in the place of others, that do not listen yet: if they die, those before them go on. */
const candidates = new Set();

if (cluster.isPrimary) {
  const [workers, policy] = process.argv.slice(2);
  cluster.schedulingPolicy = policy === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  cluster.on('exit', (worker) => {
    if (!candidates.delete(worker) && !worker.exitedAfterDisconnect) cluster.fork();
  });
  for (let count = 0; count < Number(workers); count++) cluster.fork();
  let last = Promise.resolve();
  process.on('SIGHUP', () => (last = last.then(replaceAll)));
} else await import('./serve.mjs');

async function replaceAll() {
  for (const before of Object.values(cluster.workers)) {
    const next = cluster.fork();
    candidates.add(next);
    const isUp = await Promise.race([once(next, 'listening').then(() => true), once(next, 'exit').then(() => false)]);
    if (!isUp) return;
    candidates.delete(next);
    before.disconnect();
  }
}
