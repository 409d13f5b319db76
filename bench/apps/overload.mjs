/** Serves 100 requests per second at the most: `/cpu` by the processor, 10 ms each; `/pool` by ten connections of 100 ms behind it. */

import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const spinMs = 10;
const poolMs = 100;
let places = 10;
const waiting = [];

function spin() {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system >= spinMs * 1000) return;
  }
}

/** A place goes from hand to hand, so that there are never more than ten. */
async function query() {
  if (places > 0) places--;
  else await new Promise((resolve) => waiting.push(resolve));
  await sleep(poolMs);
  if (waiting.length > 0) waiting.shift()();
  else places++;
}

http
  .createServer(async (request, response) => {
    if (request.url === '/cpu') spin();
    else if (request.url === '/pool') await query();
    response.end('done\n');
  })
  .listen(process.env.PORT ?? 8000, '127.0.0.1');
