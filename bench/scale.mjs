/**
 * A pool between one worker and eight (`--max-workers`), whose load changes every 75 s for ten minutes: how soon the pool follows, and whether it
 * is steady where the load is. Each request waits 100 ms in one of four threads, so a worker serves 40 per second.
 *
 *   node bench/scale.mjs
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, offer } from './lib/arrivals.mjs';
import { tsgunPool } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath, freePort } from './lib/servers.mjs';

const capacity = 40;
const stepSeconds = 75;
/** In the capacities of one worker. */
const steps = [0.5, 2, 5, 5, 1, 4, 0.5, 3];
const goals = { upSeconds: 10, downSeconds: 60 };
/** tsgun adds workers until three quarters of the pool are busy, and takes some away where less than half would be. */
const fewest = (load) => Math.max(1, Math.ceil(load / 0.95));
const most = (load) => Math.max(1, Math.ceil(load / 0.5));

printMachine();
const port = await freePort();
const options = ['--max-workers', '8', '--threads', '4'];
const [node, ...args] = tsgunPool('threaded', benchPath('apps/waits.mjs'), 1, options)(port);
const child = spawn(node, args, { stdio: ['ignore', 'ignore', 'pipe'] });
const exited = once(child, 'exit');
/** Every change of the number of workers. */
const changes = [];
createInterface({ input: child.stderr }).on('line', (text) => {
  const line = text.startsWith('{') ? JSON.parse(text) : {};
  if (line.event === 'scaled') changes.push({ at: performance.now(), to: line.workers });
});
while ((await ask(port, '/light')).status !== 200) await sleep(100);

const rows = [
  ['step', 'requests/s', 'workers from', 'changes', 'enough after', 'few enough after', 'at the end', 'p99', 'failed'],
];
let workers = 1;
try {
  for (const [index, load] of steps.entries()) {
    const from = performance.now();
    const before = changes.length;
    const began = workers;
    const { results, stop } = offer(port, load * capacity);
    await sleep(stepSeconds * 1000);
    await stop();
    const own = changes.slice(before);
    workers = own.at(-1)?.to ?? workers;
    const path = [{ at: from, to: began }, ...own];
    const enough = settled(path, from, (count) => count >= fewest(load));
    const few = settled(path, from, (count) => count <= most(load));
    const waits = results.map(({ ms }) => ms).sort((one, other) => one - other);
    const failed = results.filter(({ status }) => status !== 200).length;
    rows.push([
      String(index + 1),
      String(load * capacity),
      String(began),
      own.map(({ to }) => to).join(', ') || '–',
      `${enough.toFixed(1)} s`,
      `${few.toFixed(1)} s`,
      String(workers),
      `${waits[Math.ceil(waits.length * 0.99) - 1].toFixed(0)} ms`,
      String(failed),
    ]);
    judge(`step ${index + 1}: enough workers within ${goals.upSeconds} s`, enough <= goals.upSeconds);
    judge(`step ${index + 1}: no more than it takes within ${goals.downSeconds} s`, few <= goals.downSeconds);
    judge(`step ${index + 1}: changes in one direction only`, isOneWay([began, ...own.map(({ to }) => to)]));
    judge(`step ${index + 1}: no request failed`, failed === 0);
  }
} finally {
  child.kill('SIGTERM');
  await exited;
}
console.log();
printTable(rows);

/** Seconds until the number of workers is right, and stays so. */
function settled(path, from, isRight) {
  const wrong = path.findLastIndex(({ to }) => !isRight(to));
  if (wrong === -1) return 0;
  return ((path[wrong + 1]?.at ?? Number.POSITIVE_INFINITY) - from) / 1000;
}

function isOneWay(counts) {
  const signs = counts.slice(1).map((count, index) => Math.sign(count - counts[index]));
  return !(signs.includes(1) && signs.includes(-1));
}
