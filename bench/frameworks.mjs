/**
 * The apps of Node's frameworks under tsgun, against the same apps on the server that they usually have.
 *
 *   node bench/frameworks.mjs [FRAMEWORK…] [--quick] [--rounds N] [--seconds N]
 */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fullPace, hold, quickPace } from './lib/contest.mjs';
import { judge, milliseconds, printMachine, printTable, rate, ratio } from './lib/report.mjs';
import { benchPath } from './lib/servers.mjs';

/** `goal` is what tsgun is held to, as a multiple of the usual server's requests per second. */
const contests = {
  plain: { what: '(req, res), against node:http', goal: 1.05 },
  express: { what: 'Express 5, against node:http', goal: 1.2 },
  koa: { what: 'Koa 3, against node:http', goal: 1 },
  fastify: { what: "Fastify 5, against its own listen(), which is node:http's", goal: 1 },
  hono: { what: 'Hono 4, against @hono/node-server', goal: 1.2 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const pace = { ...(values.quick ? quickPace : fullPace) };
if (values.rounds !== undefined) pace.rounds = Number(values.rounds);
if (values.seconds !== undefined) pace.seconds = Number(values.seconds);

const unknown = positionals.find((name) => !(name in contests));
if (unknown !== undefined) {
  console.error(`no framework ${JSON.stringify(unknown)}; there are ${Object.keys(contests).join(', ')}`);
  process.exit(1);
}

// As in production: Express describes errors and looks for changed views otherwise.
const node = ['env', 'NODE_ENV=production', process.execPath];
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** @type {import('./lib/servers.mjs').Contestant} */
const usual = {
  name: 'its usual server',
  command: (app, port) => [...node, benchPath('frameworks/serve.mjs'), app, String(port)],
};

/** @type {import('./lib/servers.mjs').Contestant} */
const ours = {
  name: 'tsgun',
  command: (app, port) => [
    ...[...node, cli, benchPath(`frameworks/${app}.mjs`)],
    ...['--bind', `127.0.0.1:${port}`, '--workers', '1'],
  ],
};

printMachine();
console.log(`Medians of ${pace.rounds} rounds of ${pace.seconds} s; server and load have a core each.\n`);
for (const name of positionals.length > 0 ? positionals : Object.keys(contests)) await run(name, contests[name]);

async function run(name, { what, goal }) {
  const results = await hold({ app: name, load: { connections: 32 } }, [usual, ours], pace);
  const base = results.get(usual.name);
  const rows = Array.from(results, ([contestant, result]) => [
    contestant,
    rate(result.rate),
    ratio(result.rate / base.rate),
    milliseconds(result.p50),
    milliseconds(result.p99),
    result.cpuUs.toFixed(1),
    ratio(base.cpuUs / result.cpuUs),
    `${Math.round(result.foreign * 100)} %`,
  ]);
  console.log(`### ${name}: ${what}\n`);
  printTable([[' ', 'requests/s', 'to usual', 'p50', 'p99', 'CPU µs/request', 'usual to it', 'others took'], ...rows]);
  for (const [contestant, { errors }] of results)
    if (errors !== '') judge(`${contestant} without errors, else the run says nothing: ${errors}`, false);
  judge(`at least ${goal}× the usual server`, results.get(ours.name).rate / base.rate >= goal);
  console.log();
}
