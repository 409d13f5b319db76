/**
 * What `node:cluster` alone takes to replace workers: at each HUP, two new ones in place of the two before, one after another.
 * They have a server and nothing to do. `node reloads.mjs`
 */

import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';

if (cluster.isPrimary) {
  for (let count = 0; count < 2; count++) cluster.fork();
  let last = Promise.resolve();
  process.on('SIGHUP', () => (last = last.then(replace)));
} else createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');

async function replace() {
  for (const before of Object.values(cluster.workers)) {
    await once(cluster.fork(), 'listening');
    const exited = once(before, 'exit');
    before.disconnect();
    await exited;
  }
}
