/**
 * A release that is as the file `$RELEASE` says when a worker loads it: `equal`, `errors`, `slow`, `crashes`, `blocks`, or `warm-up`. A request
 * takes 10 ms, one in ten 20 ms.
 */

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const release = readFileSync(process.env.RELEASE, 'utf8').trim();
const warmUpMs = 2000;
const crashEvery = 200;
let requests = 0;
let firstAt;

export default async function answer(_request, response) {
  requests++;
  firstAt ??= performance.now();
  const isRare = Math.random() < 0.1;
  let ms = isRare ? 20 : 10;
  if (release === 'slow' && isRare) ms *= 1.5;
  if (release === 'warm-up' && performance.now() - firstAt < warmUpMs) ms *= 2;
  if (release === 'blocks') spin(requests);
  if (release === 'crashes' && requests % crashEvery === 0) process.abort();
  await sleep(ms);
  if (release === 'errors' && Math.random() < 0.05) response.statusCode = 500;
  response.setHeader('X-Release', release);
  response.end('done\n');
}

/** A millisecond more with each request. */
function spin(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
