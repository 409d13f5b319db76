/** apps/overload.mjs in one worker of node:cluster: `node bench/node/overload.mjs`, with the port in `$PORT`. */

import cluster from 'node:cluster';

if (cluster.isPrimary) {
  const worker = cluster.fork();
  process.on('SIGTERM', () => {
    worker.process.kill('SIGKILL');
    process.exit();
  });
} else await import('../apps/overload.mjs');
