/**
 * What watching costs a request of "hello world": each thing that can be turned on, and all of them together.
 * `all` is the admin address with its metrics, StatsD, Server-Timing, slow requests and the sampling of allocations. The access
 * log has goals of its own, by format.
 *
 *   node bench/cost.mjs [NAME…] [--class async|threaded|sync] [--quick] [--rounds N] [--seconds N]
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { judge, median, printMachine, printTable, rate } from './lib/report.mjs';
import { tsgun } from './lib/servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    class: { type: 'string', default: 'async' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
if (values.seconds !== undefined) pace.seconds = Number(values.seconds);

const folder = mkdtempSync(join(tmpdir(), 'tsgun-cost-'));
// Somebody takes what is sent: a datagram to a closed port would come back as an error.
const statsd = createSocket('udp4').on('message', () => {});
statsd.bind(0, '127.0.0.1');
await once(statsd, 'listening');

const admin = ['--admin-bind', '127.0.0.1:0'];
const gunicornNames = ['--statsd-host', `127.0.0.1:${statsd.address().port}`];
const slow = ['--slow-request', '10'];
const sampling = ['--max-worker-memory', '4096'];
const all = [...admin, ...gunicornNames, '--server-timing', ...slow, ...sampling];
const policies = [
  ...['--shed', 'auto', '--max-workers', '2', '--limit-concurrency', '/export/*=2'],
  ...['--canary', '10', '--watch-after', '60'],
];
const file = ['--access-logfile', join(folder, 'access.log')];

/** `goal`: the CPU time of a request without, as a part of that with it. */
const variants = {
  metrics: { options: admin },
  statsd: { options: gunicornNames },
  'server-timing': { options: ['--server-timing'] },
  slow: { options: slow },
  sampling: { options: sampling, goal: 0.97 },
  all: { options: all, goal: 0.95 },
  policies: { options: policies, goal: 0.97 },
  combined: { options: file, goal: 0.9 },
  json: { options: [...file, '--access-logformat', 'json'], goal: 0.85 },
  'all-and-combined': { options: [...all, ...file] },
};
const unknown = positionals.find((name) => !(name in variants));
if (unknown !== undefined) {
  console.error(`no variant ${JSON.stringify(unknown)}; there are ${Object.keys(variants).join(', ')}`);
  process.exit(1);
}
const names = positionals.length > 0 ? positionals : Object.keys(variants);
const workerClass = ['--worker-class', values.class];
const contestants = [
  tsgun(undefined, 'nothing', workerClass),
  // The same again: how much two of these figures differ for no reason.
  tsgun(undefined, 'nothing, again', workerClass),
  ...names.map((name) => tsgun(undefined, name, [...workerClass, ...variants[name].options])),
];

printMachine();
console.log(
  `Medians of ${pace.rounds} rounds of ${pace.seconds} s in the ${values.class} class; server and load have a core each; more than the mean of the two without.\n`,
);
const results = await hold({ app: 'hello', load: { connections: 32 } }, contestants, pace);
const bases = ['nothing', 'nothing, again'].map((name) => results.get(name).runs);
/** Of each round's own two turns without: what slows the machine for a while is the same for all of a round. */
const costs = (name) =>
  results.get(name).runs.map(({ cpuUs }, round) => (2 * cpuUs) / (bases[0][round].cpuUs + bases[1][round].cpuUs));
const percent = (value) => `${((value - 1) * 100).toFixed(1)} %`;
printTable([
  ['turned on', 'requests/s', 'CPU µs/request', 'more', 'quartiles', 'others took'],
  ...Array.from(results, ([name, result]) => {
    const sorted = costs(name).sort((one, other) => one - other);
    const quartile = (part) => percent(sorted[Math.floor((sorted.length - 1) * part)]);
    return [
      name,
      rate(result.rate),
      result.cpuUs.toFixed(2),
      percent(median(sorted)),
      `${quartile(0.25)} to ${quartile(0.75)}`,
      `${Math.round(result.foreign * 100)} %`,
    ];
  }),
]);
for (const [name, { errors }] of results)
  if (errors !== '') judge(`${name} without errors, else the run says nothing: ${errors}`, false);
for (const name of names) {
  const { goal } = variants[name];
  if (goal === undefined) continue;
  judge(`${name}: at least ${goal}× of what is served without, by CPU time`, 1 / median(costs(name)) >= goal);
}
statsd.close();
rmSync(folder, { recursive: true });
