/**
 * Whether anything is lost, as users would find out: by counting every request while processes come, go and die.
 *
 *   node bench/storm.mjs [SCENARIO…] [--keep-alive N] [--close N] [--thinkers N] [--seed N] [--with-usr2]
 */

import { parseArgs } from 'node:util';
import { judge, printMachine } from './lib/report.mjs';
import { Storm } from './storm/context.mjs';
import { crashLoop, hung, kill9 } from './storm/deaths.mjs';
import { badReload, hup, isReady, recycle, ttinTtou, usr2 } from './storm/reloads.mjs';
import { signals } from './storm/signals.mjs';

const scenarios = {
  ...{ hup, 'ttin-ttou': ttinTtou, recycle, usr2, 'bad-reload': badReload },
  ...{ kill9, 'crash-loop': crashLoop, hung, signals },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'keep-alive': { type: 'string', default: '64' },
    close: { type: 'string', default: '8' },
    thinkers: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'with-usr2': { type: 'boolean', default: false },
  },
});
const clients = {
  keepAlive: Number(values['keep-alive']),
  close: Number(values.close),
  thinkers: Number(values.thinkers),
};

const unknown = positionals.find((name) => !(name in scenarios));
if (unknown !== undefined) {
  console.error(`no scenario ${JSON.stringify(unknown)}; there are ${Object.keys(scenarios).join(', ')}`);
  process.exit(1);
}

printMachine();
const { keepAlive, close, thinkers } = clients;
console.log(
  `${keepAlive} keep-alive clients that are never idle, ${thinkers} that think, ${close} with a connection per request; ` +
    'the server has core 0, the load core 1.\n',
);
for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) await run(name, scenarios[name]);

async function run(name, scenario) {
  console.log(`### ${name}: ${scenario.what}\n`);
  if (!isReady(scenario)) return console.log(`skipped: the command has no ${scenario.needs.trim()} yet\n`);
  const storm = new Storm(name, clients, { seed: Number(values.seed), withUsr2: values['with-usr2'] });
  try {
    await scenario.run(storm);
  } catch (error) {
    judge(`${name} runs to its end: ${error.message}`, false);
  } finally {
    await storm.end();
  }
  storm.report();
}
