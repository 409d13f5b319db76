/** Serves 100 requests per second at the most: `/cpu` by the processor, 10 ms each; `/pool` by ten connections of 100 ms behind it. */

import http from 'node:http';
import { performance } from 'node:perf_hooks';

const spinMs = 10;
const poolMs = 100;
let places = 10;
const waiting = [];

function spin() {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system >= spinMs * 1000) return;
    for (let round = 0; round < 20_000; round++) performance.now;
  }
}

function work() {
  places--;
  return new Promise((resolve) =>
    setTimeout(() => {
      places++;
      waiting.shift()?.();
      resolve();
    }, poolMs),
  );
}

async function query() {
  if (places === 0) await new Promise((resolve) => waiting.push(resolve));
  await work();
}

http
  .createServer(async (request, response) => {
    if (request.url === '/cpu') spin();
    else if (request.url === '/pool') await query();
    response.end('done\n');
  })
  .listen(process.env.PORT ?? 8000, '127.0.0.1');
