/**
 * node:cluster as people supervise it by hand: a worker that has not said for so long that it lives is killed and replaced.
 *
 *   node bench/node/supervised.mjs PORT TIMEOUT_MS
 */

import cluster from 'node:cluster';
import { createServer } from 'node:http';

const [port, timeoutMs] = process.argv.slice(2).map(Number);
const beatEveryMs = 100;

if (cluster.isPrimary) {
  const spawn = () => {
    const worker = cluster.fork();
    const kill = () => worker.process.kill('SIGKILL');
    let timer = setTimeout(kill, timeoutMs);
    worker.on('message', () => {
      clearTimeout(timer);
      timer = setTimeout(kill, timeoutMs);
    });
    worker.on('exit', () => clearTimeout(timer));
  };
  cluster.on('exit', spawn);
  spawn();
  process.on('SIGTERM', () => {
    cluster.off('exit', spawn);
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL');
    process.exit();
  });
} else {
  setInterval(() => process.send('alive'), beatEveryMs);
  createServer((request, response) => {
    if (request.url === '/hang') for (;;);
    if (request.url !== '/wait') response.end('fine\n');
  }).listen(port, '127.0.0.1');
}
