/**
 * From the command to the first answer, and what processes hold in memory when they have nothing to do, against the same
 * work written by hand on node:cluster.
 *
 *   node bench/boot.mjs [--rounds N] [--workers N] [--also NAME=PATH/TO/dist/cli.js …]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuMs, processTree, residentBytes } from './lib/processes.mjs';
import { judge, median, milliseconds, printMachine, printTable, ratio } from './lib/report.mjs';
import { benchPath, freePort } from './lib/servers.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    workers: { type: 'string', default: '4' },
    also: { type: 'string', multiple: true, default: [] },
  },
});
const rounds = Number(values.rounds);
const { workers } = values;
const settleMs = 2500;

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const app = (name) => fileURLToPath(new URL(name, import.meta.url));
const tsgun =
  (path, of = cli) =>
  (port) => [of, app(path), '--workers', workers, '--bind', `127.0.0.1:${port}`];
const builds = values.also.map((text) => text.split('='));
const contestants = new Map([
  ['node:cluster by hand', (port) => [benchPath('node/cluster.mjs'), workers, String(port)]],
  ['tsgun, app in JavaScript', tsgun('apps/fib.mjs')],
  ['tsgun, app in TypeScript', tsgun('../apps/fib.ts')],
  ...builds.flatMap(([name, of]) => [
    [`${name}, app in JavaScript`, tsgun('apps/fib.mjs', of)],
    [`${name}, app in TypeScript`, tsgun('../apps/fib.ts', of)],
  ]),
]);

printMachine();
console.log(`${workers} workers; medians of ${rounds} interleaved rounds.\n`);
const runs = new Map(Array.from(contestants.keys(), (name) => [name, []]));
for (let round = 0; round <= rounds; round++)
  for (const [name, command] of contestants) {
    const result = await measure(command);
    // The first round fills caches, of the disk and of compiled apps.
    if (round > 0) runs.get(name).push(result);
  }

const results = Array.from(runs, ([name, list]) => [
  name,
  Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((run) => run[key]))])),
]);
const [[, bare]] = results;
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
printTable([
  [' ', 'first answer', 'to bare', 'CPU until all serve', 'worker resident', 'to bare', 'master resident'],
  ...results.map(([name, result]) => [
    name,
    milliseconds(result.firstMs),
    ratio(result.firstMs / bare.firstMs),
    milliseconds(result.cpu),
    mib(result.worker),
    ratio(result.worker / bare.worker),
    mib(result.master),
  ]),
]);
for (const [name, result] of results.slice(1, 3)) {
  judge(`${name}: first answer within 1.5 times`, result.firstMs / bare.firstMs <= 1.5);
  judge(`${name}: an idle worker at most 1.25 times as large`, result.worker / bare.worker <= 1.25);
  judge(`${name}: the master at most 70 MiB`, result.master <= 70 * 2 ** 20);
}

async function measure(command) {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, command(port), { stdio: 'ignore' });
  try {
    await firstAnswer(`http://127.0.0.1:${port}/10`);
    const firstMs = performance.now() - startedAt;
    await sleep(settleMs);
    const cpu = cpuMs(child.pid);
    const [master, ...others] = processTree(child.pid);
    return { firstMs, cpu, master: residentBytes(master), worker: median(others.map((pid) => residentBytes(pid))) };
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

async function firstAnswer(url) {
  for (const giveUpAt = performance.now() + 20_000; performance.now() < giveUpAt; ) {
    const isThere = await fetch(url, { headers: { connection: 'close' } }).then(
      async (response) => (await response.text()) === 'fib: 55\n',
      () => false,
    );
    if (isThere) return;
    await sleep(2);
  }
  throw new Error(`no answer from ${url}`);
}
