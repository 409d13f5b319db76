/**
 * Contestants in turns: a machine that is slower for a while is slower for all. Every turn has processes of its own, so
 * that the luck of one compilation by V8 does not decide.
 */

import { quietestOf } from './noise.mjs';
import { median } from './report.mjs';
import { fetchOnce, startServer } from './servers.mjs';
import { runWrk } from './wrk.mjs';

/**
 * @typedef {object} Pace
 * @property {number} rounds
 * @property {number} seconds of each measurement
 * @property {number} warmUpSeconds
 */

/** @type {Pace} */
export const fullPace = { rounds: 5, seconds: 4, warmUpSeconds: 2 };
/** @type {Pace} */
export const quickPace = { rounds: 1, seconds: 2, warmUpSeconds: 1 };

/**
 * @typedef {object} Contest
 * @property {string} app of bench/apps and bench/node
 * @property {import('./wrk.mjs').Load} load
 */

/**
 * @param {Contest} contest
 * @param {readonly import('./servers.mjs').Contestant[]} contestants
 * @param {Pace} pace
 * @returns {Promise<Map<string, import('./wrk.mjs').Run & { runs: import('./wrk.mjs').Run[] }>>} medians by contestant;
 *   `errors` of all runs; `runs` one for each round
 */
export async function hold(contest, contestants, pace) {
  /** @type {Map<string, import('./wrk.mjs').Run[]>} */
  const runs = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < pace.rounds; round++)
    // Every other round in reverse, so that nobody always follows the same one.
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed())
      runs.get(contestant.name).push(await measure(contest, contestant, pace));
  return new Map(Array.from(runs, ([name, list]) => [name, summarize(list)]));
}

/** @returns {Promise<import('./wrk.mjs').Run>} */
async function measure({ app, load }, contestant, { seconds, warmUpSeconds }) {
  const server = await startServer(contestant, app);
  try {
    await expectFields(`${server.url}${load.path ?? ''}`, contestant.name);
    await runWrk(server, load, warmUpSeconds);
    const run = await quietestOf(() => runWrk(server, load, seconds));
    progress(`${contestant.name} ${Math.round(run.rate)}`);
    return run;
  } finally {
    await server.stop();
  }
}

/** Like with like: each answer must have the fields that all of them are said to have. */
async function expectFields(url, name) {
  const { status, headers } = await fetchOnce(url);
  if (status !== 200 || headers.date === undefined || headers['content-length'] === undefined)
    throw new Error(`${name} answered ${status} with ${JSON.stringify(headers)}`);
}

function summarize(runs) {
  const of = (key) => median(runs.map((run) => run[key]));
  const errors = [...new Set(runs.map((run) => run.errors).filter(Boolean))].join('; ');
  return { rate: of('rate'), p50: of('p50'), p99: of('p99'), cpuUs: of('cpuUs'), foreign: of('foreign'), errors, runs };
}

/** On standard error: the report alone is on standard output. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
}
