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
import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isThere, tsgunPool } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath, fetchOnce, freePort } from './lib/servers.mjs';

const capacity = 100;
const phases = [
  ['half', capacity / 2, 10],
  ['twice', capacity * 2, 30],
  ['after', capacity / 2, 10],
];
/** A client gives up. */
const patienceMs = 20_000;
/** Of what the app could do; of the 99th percentile without overload; seconds until all is well again. */
const goals = { goodput: 0.9, latency: 3, recovery: 2 };

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
    const figures = summarize(results);
    rows.push([name, ...figures.columns]);
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
    return await offer(port, path);
  } finally {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
  }
}

async function offer(port, path) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const results = [];
  const open = new Set();
  const startedAt = performance.now();
  const ask = (phase) => {
    const sentAt = performance.now();
    const done = new Promise((resolve) => {
      const end = (status) => resolve({ phase, status, sentAt: sentAt - startedAt, ms: performance.now() - sentAt });
      const request = get({ port, path, agent, host: '127.0.0.1', timeout: patienceMs }, (response) => {
        response
          .resume()
          .on('end', () => end(response.statusCode))
          .on('error', () => end(0));
      });
      request.on('error', () => end(0)).on('timeout', () => request.destroy(new Error('too late')));
    });
    open.add(done);
    void done.then((result) => {
      results.push(result);
      open.delete(done);
    });
  };
  for (const [phase, rate, seconds] of phases) {
    const from = performance.now();
    for (let count = 0; performance.now() < from + seconds * 1000; await sleep(1))
      for (const due = ((performance.now() - from) / 1000) * rate; count < due; count++) ask(phase);
  }
  await Promise.all(open);
  agent.destroy();
  return results;
}

function summarize(results) {
  const of = (phase, status) => results.filter((each) => each.phase === phase && each.status === status);
  const quantile = (each, share) =>
    each.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(each.length * share)] ?? Number.NaN;
  const [[, , calmSeconds], [, , seconds]] = phases;
  const [from, to] = [calmSeconds * 1000, (calmSeconds + seconds) * 1000];
  // Whenever their request came: what was answered in this time.
  const answered = results.filter(
    ({ status, sentAt, ms }) => status === 200 && sentAt + ms >= from && sentAt + ms < to,
  );
  const heavy = of('twice', 200);
  const calmP99 = quantile(of('half', 200), 0.99);
  const late = results.filter(
    ({ phase, status, ms }) => phase === 'after' && (status !== 200 || ms > goals.latency * calmP99),
  );
  const recovery = late.length === 0 ? 0 : (Math.max(...late.map(({ sentAt }) => sentAt)) - to) / 1000;
  const failed = results.filter(({ status }) => status !== 200 && status !== 503).length;
  const goodput = answered.length / seconds;
  const p99 = quantile(heavy, 0.99);
  const ms = (value) => `${value.toFixed(0)} ms`;
  const columns = [
    ms(calmP99),
    goodput.toFixed(0),
    ms(quantile(heavy, 0.5)),
    ms(p99),
    of('twice', 503).length,
    failed,
    `${recovery.toFixed(1)} s`,
  ];
  return { goodput, calmP99, p99, recovery, columns: columns.map(String) };
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
