/**
 * Releases on trial (`--canary`), at 100 requests per second on connections of their own and four workers: how soon a bad one is rolled back,
 * whom it touched, and how often a good one is.
 *
 *   node bench/releases.mjs          # all
 *   node bench/releases.mjs bad      # one with 5 % errors, one slower at the 95th percentile, one that crashes, one that blocks
 *   node bench/releases.mjs equal    # 100 equal releases, and 20 with a slow warm-up: about nine minutes
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { offer } from './lib/arrivals.mjs';
import { tsgunPool } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath, freePort } from './lib/servers.mjs';

const workers = 4;
const trialSeconds = { bad: 15, equal: 5 };
/** Seconds until a bad release is gone; the part of all requests that it may have beyond the share of one worker more. */
const goals = { seconds: 30, beyond: 0.01, falseAlarms: { equal: 0, 'warm-up': 1 } };
/** So many servers at once share the equal releases. */
const servers = 4;

printMachine();
const chosen = process.argv.slice(2);
if (chosen.length === 0 || chosen.includes('bad')) await bad();
if (chosen.length === 0 || chosen.includes('equal')) {
  await equal('equal', 100);
  await equal('warm-up', 20);
}

async function bad() {
  const rows = [['release', 'rolled back after', 'faults', 'requests', 'of the release', 'failed', 'beyond its share']];
  for (const release of ['errors', 'slow', 'crashes', 'blocks']) {
    const server = await start(trialSeconds.bad);
    try {
      await sleep(10_000);
      const { outcome, seconds, judged, from, until } = await reload(server, release, goals.seconds * 2);
      await sleep(3000);
      const during = server.results.filter(({ sentAt }) => sentAt >= from && sentAt < until);
      // Its worker answers what it has taken.
      const after = server.results.filter(({ sentAt }) => sentAt >= until + 1000);
      const isOf = ({ headers }) => headers['x-release'] === release;
      const failed = (each) => each.filter(({ status }) => status !== 200);
      const touched = during.filter((each) => isOf(each) || each.status !== 200);
      const beyond = touched.length / during.length - 1 / (workers + 1);
      rows.push([
        release,
        `${seconds.toFixed(1)} s`,
        judged?.faults?.join(', ') ?? '',
        String(during.length),
        String(during.filter(isOf).length),
        String(failed(during).length),
        `${(Math.max(0, beyond) * 100).toFixed(1)} %`,
      ]);
      judge(
        `${release}: rolled back within ${goals.seconds} s`,
        outcome === 'reload_failed' && seconds <= goals.seconds,
      );
      judge(`${release}: fewer than 1 % of the requests beyond its share`, beyond < goals.beyond);
      judge(
        `${release}: nothing of it is left after that`,
        after.length > 0 && failed(after).length === 0 && !after.some(isOf),
      );
    } finally {
      await server.stop();
    }
  }
  console.log();
  printTable(rows);
}

async function equal(release, count) {
  const trials = await Promise.all(
    Array.from({ length: servers }, async () => {
      const server = await start(trialSeconds.equal);
      try {
        await sleep(10_000);
        const outcomes = [];
        for (let done = 0; done < count / servers; done++) outcomes.push(await reload(server, release, 120));
        return { outcomes, failed: server.results.filter(({ status }) => status !== 200).length };
      } finally {
        await server.stop();
      }
    }),
  );
  const outcomes = trials.flatMap((trial) => trial.outcomes);
  const alarms = outcomes.filter(({ outcome }) => outcome !== 'reload_finished');
  for (const { line } of alarms) console.log(JSON.stringify(line));
  const verdicts = new Map();
  for (const { judged } of outcomes) verdicts.set(judged?.outcome, (verdicts.get(judged?.outcome) ?? 0) + 1);
  const counted = Array.from(verdicts, ([verdict, times]) => `${verdict} ${times}`);
  judge(
    `${outcomes.length} releases (${release}): ${alarms.length} false alarms, at most ${goals.falseAlarms[release]}; ${counted.join(', ')}`,
    outcomes.length === count && alarms.length <= goals.falseAlarms[release],
  );
  const failed = trials.reduce((sum, trial) => sum + trial.failed, 0);
  judge(`${release}: no request failed (${failed})`, failed === 0);
}

/** A server with an `equal` release, and its load. */
async function start(canary) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-releases-'));
  const file = join(folder, 'release');
  writeFileSync(file, 'equal');
  const port = await freePort();
  const [node, ...args] = tsgunPool('async', benchPath('apps/release.mjs'), workers, ['--canary', String(canary)])(
    port,
  );
  const child = spawn(node, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, RELEASE: file } });
  const exited = once(child, 'exit');
  const lines = [];
  const waiting = new Set();
  createInterface({ input: child.stderr }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    lines.push({ ...JSON.parse(text), at: performance.now() });
    for (const check of waiting) check();
  });
  /** Waits for `count` lines, from the `from`th on, of these events, and gives the last of them. */
  const event = (names, from, seconds, count = 1) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(check);
        reject(new Error(`no ${names.join(' or ')} within ${seconds} s`));
      }, seconds * 1000);
      const check = () => {
        const line = lines.slice(from).filter((each) => names.includes(each.event))[count - 1];
        if (line === undefined) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(line);
      };
      waiting.add(check);
      check();
    });
  await event(['worker_ready'], 0, 60, workers);

  const load = offer(port, 100);
  const stop = async () => {
    await load.stop();
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true });
  };
  return { child, file, lines, event, results: load.results, stop };
}

async function reload({ child, file, lines, event }, release, seconds) {
  writeFileSync(file, release);
  const first = lines.length;
  const from = performance.now();
  child.kill('SIGHUP');
  const line = await event(['reload_finished', 'reload_failed'], first, seconds);
  const judged = lines.slice(first).find((line) => line.event === 'canary_judged');
  const { event: outcome, at: until } = line;
  return { outcome, line, judged, from, until, seconds: (until - from) / 1000 };
}
