/**
 * The lesson of the three worker classes, measured: apps/fib.ts as sync, threaded and async workers, one and several.
 * With every row run, every claim met and a quiet machine, it writes docs/models.md and docs/models.svg.
 *
 *   node bench/models.mjs [ROW…] [--workers N] [--heavy N] [--quick] [--rounds N] [--out DIRECTORY]
 *
 * --out writes there whatever could be run.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { limits } from './lib/noise.mjs';
import { judge, machine, median } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';
import { drawChart } from './models/chart.mjs';
import { claims, pageOf, panelsOf, tableOf } from './models/lesson.mjs';
import { fullPace, measure, quickPace } from './models/measure.mjs';
import { makeRows, refusal } from './models/rows.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: String(Math.min(availableParallelism(), 4)) },
    heavy: { type: 'string', default: '42' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    out: { type: 'string' },
  },
});
const n = Number(values.workers);
const heavy = Number(values.heavy);
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
const rows = makeRows(n);
const unknown = positionals.find((key) => !rows.some((row) => row.key === key));
if (unknown !== undefined) {
  console.error(`no row ${JSON.stringify(unknown)}; there are ${rows.map(({ key }) => key).join(', ')}`);
  process.exit(1);
}
/** All share all of them: a row of several workers on one core would teach nothing. */
const cores = `0-${availableParallelism() - 1}`;

const where = machine();
console.log(`${where}\n\nMedians of ${pace.rounds} rounds.\n`);
const runnable = [];
for (const row of rows) {
  if (positionals.length > 0 && !positionals.includes(row.key)) continue;
  const reason = await refusal(row, cores);
  if (reason === undefined) runnable.push(row);
  else console.log(`skipped: ${row.name}: this build refuses it: ${reason}`);
}

/** @type {Map<string, import('./models/measure.mjs').Turn[]>} */
const turns = new Map(runnable.map(({ key }) => [key, []]));
for (let round = 0; round < pace.rounds; round++)
  for (const row of round % 2 === 0 ? runnable : runnable.toReversed())
    turns.get(row.key).push(await measure(row, pace, { n: heavy, cores }));

const measured = rows.map((row) => ({
  ...row,
  result: turns.has(row.key) ? summarize(turns.get(row.key)) : undefined,
}));
console.log(`\n${tableOf(measured)}\n`);
let isValid = true;
const demand = (claim, holds) => {
  judge(claim, holds);
  isValid &&= holds;
};
for (const { name, result } of measured) {
  if (result === undefined) continue;
  demand(
    `${name} had the machine for itself: others used ${result.foreign.toFixed(2)} cores`,
    result.foreign <= limits.foreignOfAll,
  );
  if (result.errors !== '') demand(`${name} without errors, else its run says nothing: ${result.errors}`, false);
}
const isComplete = measured.every(({ result }) => result !== undefined);
const by = Object.fromEntries(measured.map(({ key, result }) => [key, result]));
if (isComplete) for (const [claim, holds] of claims(by, n)) demand(claim, holds);

if (values.out !== undefined) write(values.out);
else if (isComplete && isValid && !values.quick) write(benchPath('../docs'));
else
  console.log(
    '\ndocs/models.md and docs/models.svg were not written: that needs all rows, all that is demanded here, and the full pace.',
  );

function summarize(list) {
  const result = Object.fromEntries(
    Object.keys(list[0])
      .filter((key) => key !== 'errors')
      .map((key) => [key, median(list.map((turn) => turn[key]))]),
  );
  return { ...result, errors: [...new Set(list.map(({ errors }) => errors).filter(Boolean))].join('; ') };
}

function write(directory) {
  mkdirSync(directory, { recursive: true });
  const chart = drawChart({
    title: `One app, three worker classes: apps/fib.ts on ${availableParallelism()} cores`,
    note: `A connection per request, except in "kept alive". ${where}. Made by npm run bench:models.`,
    bars: measured.map(({ name, workerClass }) => ({ name, kind: workerClass })),
    panels: panelsOf(measured),
  });
  writeFileSync(join(directory, 'models.svg'), chart);
  writeFileSync(join(directory, 'models.md'), pageOf(measured, { n, heavy, method: method() }));
  console.log(`\nwritten: ${join(directory, 'models.md')}, ${join(directory, 'models.svg')}`);
}

function method() {
  const { alone, beside, clock, heavy: saturated, rounds } = pace;
  return `Made by \`npm run bench:models\`, never by hand: ${where}.

- **The same client for all rows.** A sync worker closes after each answer. So each column with a figure in all rows uses a
  connection per request, with \`Connection: close\`. The kept-alive columns stand apart, and are compared with nothing else.
- **The same cores for all.** Master, workers and load share all ${availableParallelism()} cores, so the load limits the light
  requests/s of several workers. For the cost of a light request, see the CPU time of master and workers (\`/proc/PID/stat\`):
  it depends far less on other processes. For heavy requests the load costs almost nothing.
- **light/s alone, kept alive:** wrk, 32 connections, ${alone} s each.
- **light/s beside a heavy one:** the same for ${beside} s, while one heavy request always runs: when one is answered, the
  next is sent.
- **p99 beside it** comes from other clients, because wrk sends less while it waits. They send 100 light requests a second for
  ${clock} s, by the clock, also while earlier ones wait. Each is timed from when it was due. Kept alive: 600 clients in
  turn, each on its own connection, opened before the heavy requests began.
- **heavy/s:** wrk, 8 connections, ${saturated} s.
- **Memory** is the resident memory of all workers after that, without the master. Shared pages (Node's own code) count in
  each worker; the last column leaves them out.
- **Interleaved:** ${rounds} rounds, every other one in reverse, with new processes for each turn; the table has medians.`;
}
