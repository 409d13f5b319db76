/**
 * Half a minute of twice as many requests as can be served: what is answered in time, and how soon all is well again. One worker, which
 * serves 100 requests per second at the most: by the processor (10 ms each), or by a pool of ten connections of 100 ms behind it. The
 * requests come at their rate, whether or not earlier ones are answered.
 *
 *   node bench/overload.mjs          # both
 *   node bench/overload.mjs pool     # one of them: cpu, pool
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { figuresOf, lateFactor, offerPhases } from './lib/overload.mjs';
import { isThere, tsgunPool } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath, fetchOnce, freePort } from './lib/servers.mjs';

const capacity = 100;
/** "done" and a line's end. */
const answerBytes = 5;
const phases = [
  ['half', capacity / 2, 10],
  ['twice', capacity * 2, 30],
  ['after', capacity / 2, 10],
];
/** Of what the app could do; of the 99th percentile without overload; seconds until all is well again. */
const goals = { goodput: 0.9, latency: lateFactor, recovery: 2 };

const app = benchPath('apps/overload.mjs');
const threads = '256';
const contestants = [
  ['tsgun async, shedding', tsgunPool('async', app, 1, ['--shed', 'auto'])],
  ['tsgun async', tsgunPool('async', app, 1)],
  ['node:cluster', () => [process.execPath, benchPath('node/overload.mjs')]],
  ['gunicorn gthread', (port) => python(port), 'gunicorn'],
  ['Puma', (port) => ruby(port), 'puma'],
  ['Bun', () => [process.env.BUN ?? 'bun', app], process.env.BUN ?? 'bun'],
];

// The load has a core, and the server another one.
spawnSync('taskset', ['-cp', '0', String(process.pid)]);
printMachine();
const chosen = process.argv.slice(2);
for (const scenario of ['cpu', 'pool']) if (chosen.length === 0 || chosen.includes(scenario)) await contest(scenario);

async function contest(scenario) {
  const rows = [[scenario, 'p99 at half', 'answered/s', 'p50', 'p99', '503', 'failed', 'well again after']];
  const curves = [];
  for (const [name, pool, needs] of contestants) {
    if (needs !== undefined && !isThere(needs)) {
      console.log(`${name}: not here`);
      continue;
    }
    const results = await measure(pool, `/${scenario}`);
    const figures = figuresOf(results, phases);
    rows.push([name, ...columnsOf(figures)]);
    curves.push([name, ...curveOf(results)]);
    if (!name.includes('shedding')) continue;
    judge(`${scenario}: answered ≥ ${goals.goodput} of the capacity`, figures.goodput >= goals.goodput * capacity);
    judge(
      `${scenario}: p99 ≤ ${goals.latency} × that at half the load`,
      figures.p99 <= goals.latency * figures.calmP99,
    );
    judge(`${scenario}: well again within ${goals.recovery} s`, figures.recovery <= goals.recovery);
  }
  console.log();
  printTable(rows);
  console.log('\nAnswered in each second, from the first of twice the load on:\n');
  printTable([['', ...Array.from({ length: 40 }, (_, second) => String(second + 1))], ...curves]);
}

async function measure(pool, path) {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const child = spawn('taskset', ['-c', '1', ...pool(port)], { stdio: 'ignore', env });
  const exited = once(child, 'exit');
  try {
    for (let tries = 0; tries < 200; tries++) {
      if ((await fetchOnce(`http://127.0.0.1:${port}/`).catch(() => undefined)) !== undefined) break;
      await sleep(50);
    }
    return await offerPhases(port, path, phases, answerBytes);
  } finally {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
  }
}

function columnsOf({ calmP99, goodput, p50, p99, refused, failed, recovery }) {
  const ms = (value) => `${value.toFixed(0)} ms`;
  return [
    ms(calmP99),
    goodput.toFixed(0),
    ms(p50),
    ms(p99),
    String(refused),
    String(failed),
    `${recovery.toFixed(1)} s`,
  ];
}

/** Answers by the second in which they came. */
function curveOf(results) {
  const start = phases[0][2] * 1000;
  return Array.from({ length: 40 }, (_, second) =>
    String(
      results.filter(({ status, sentAt, ms }) => status === 200 && Math.floor((sentAt + ms - start) / 1000) === second)
        .length,
    ),
  );
}

function python(port) {
  const options = ['--keep-alive', '60', '--threads', threads, '--chdir', benchPath('apps'), 'overload:app'];
  return ['gunicorn', '-k', 'gthread', '-w', '1', '-b', `127.0.0.1:${port}`, ...options];
}

function ruby(port) {
  return [
    'puma',
    '-w',
    '0',
    '-t',
    `${threads}:${threads}`,
    '-b',
    `tcp://127.0.0.1:${port}`,
    benchPath('apps/overload.ru'),
  ];
}
