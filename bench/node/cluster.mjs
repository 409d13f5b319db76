/** What people write by hand: node:cluster, N workers, node:http. `node cluster.mjs WORKERS PORT [POLICY]` */

import cluster from 'node:cluster';
import { createServer } from 'node:http';

const [, , workers, port, policy = 'rr'] = process.argv;

if (cluster.isPrimary) {
  cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  for (let count = 0; count < Number(workers); count++) cluster.fork();
} else {
  const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  createServer((request, response) => {
    const body = `fib: ${fib(Number(request.url.slice(1)))}\n`;
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length }).end(body);
  }).listen(Number(port), '127.0.0.1');
}
