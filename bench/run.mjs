/**
 * The benchmark: every scenario, good days and bad ones, against every peer that is here.
 *
 *   npm run bench                                # all: hours; stopped, it goes on where it was
 *   npm run bench -- --quick                     # three peers, the main scenarios, one round: a first look
 *   npm run bench -- hello hang tsgun puma       # these scenarios, these peers
 *   npm run bench -- --list                      # what there is, and why a peer cannot take part
 *   npm run bench -- --publish                   # a full run, then docs/benchmarks.md with its charts, if the machine was quiet
 *   npm run bench -- --check                     # whether that page and bench/results.json agree
 *
 * [--rounds N] [--seconds N] [--workers N] [--fresh]
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Campaign } from './lib/campaign.mjs';
import { tool } from './lib/generator.mjs';
import { cache, Missing } from './lib/install.mjs';
import { calibrate, reasonsNotToPublish } from './lib/noise.mjs';
import { machineOf, tableOf } from './lib/page.mjs';
import { loadCores, stopAll } from './lib/peer-server.mjs';
import { endProgress, progressLine, secondsLeft, showProgress } from './lib/progress.mjs';
import { check, publish } from './lib/publication.mjs';
import { choose, turnsOf } from './lib/turns.mjs';
import { peers as allPeers, quickPeers } from './peers/index.mjs';
import { scenarios as allScenarios } from './scenarios/index.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    workers: { type: 'string', default: '1' },
  },
});

if (values.check) {
  const fault = check();
  console.log(fault ?? 'docs/benchmarks.md and bench/results.json agree, or neither exists');
  process.exit(fault === undefined ? 0 : 1);
}

const pace = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  seconds: Number(values.seconds ?? (values.quick ? 2 : 4)),
  warmUpSeconds: values.quick ? 1 : 2,
  workers: Number(values.workers),
  isQuick: values.quick,
};
const chosen = chooseOrExit();
const found = find(chosen.peers);
if (values.list) list();
else await run();

function chooseOrExit() {
  try {
    const some = choose(positionals, { scenarios: allScenarios, peers: allPeers });
    if (!values.quick) return some;
    const isNamed = ({ id }) => positionals.includes(id);
    const isQuick = (all, isMain) => (all.some(isNamed) ? all : all.filter(isMain));
    return {
      scenarios: isQuick(some.scenarios, ({ isMain }) => isMain === true),
      peers: isQuick(some.peers, ({ id }) => quickPeers.includes(id)),
    };
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/** Versions of those that are here; of the others, why they are not. */
function find(peers) {
  const entries = peers.map((peer) => {
    try {
      return [peer.id, { versions: peer.find() }];
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      return [peer.id, { missing: error.message }];
    }
  });
  return Object.fromEntries(entries);
}

function list() {
  console.log('scenarios:');
  for (const { id, about } of chosen.scenarios) console.log(`  ${id.padEnd(20)} ${about}`);
  console.log('peers:');
  printPeers();
}

function printPeers() {
  for (const { id, name } of chosen.peers) {
    const { versions, missing } = found[id];
    const said = Object.entries(versions ?? {}).map(([part, version]) => `${part} ${version}`);
    console.log(`  ${id.padEnd(20)} ${name}: ${missing === undefined ? said.join(', ') : `skipped, ${missing}`}`);
  }
}

async function run() {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopAll().then(() => process.exit(1)));
  // The runner is a part of the load.
  spawnSync('taskset', ['-cp', loadCores, String(process.pid)]);
  const campaign = new Campaign(join(cache, 'results'), { ...machine(), ...pace, tool }, values.fresh);
  const { head } = campaign;
  console.log(`${machineOf(head)}\n`);
  printPeers();
  const able = chosen.peers.filter(({ id }) => found[id].missing === undefined);
  const turns = turnsOf(chosen.scenarios, able, pace.rounds);
  const keys = turns.map(({ scenario, peer, round }) => ({ scenario: scenario.id, peer: peer.id, round }));
  const left = turns.filter((_turn, index) => !campaign.has(keys[index]));
  console.log(`\n${turns.length} turns, ${turns.length - left.length} of them made before; kept in ${campaign.file}\n`);
  await makeTurns(left, campaign);
  const isChosen = new Set(keys.map(({ scenario, peer }) => `${scenario} ${peer}`));
  const runs = campaign.runs.filter(({ scenario, peer }) => isChosen.has(`${scenario} ${peer}`));
  const report = { head, peers: found, runs };
  for (const scenario of chosen.scenarios)
    console.log(
      `### ${scenario.title} (${scenario.id}): ${scenario.about}\n\n${tableOf(scenario, chosen.peers, report)}\n`,
    );
  conclude(report, keys);
}

async function makeTurns(turns, campaign) {
  const expected = turns.map(({ scenario }) => scenario.seconds(pace));
  const taken = [];
  for (const [index, { scenario, peer, round }] of turns.entries()) {
    const what = `${scenario.id}, ${peer.name}, round ${round}`;
    showProgress(progressLine(index, turns.length, secondsLeft(expected, taken), what));
    const startedAt = performance.now();
    const turn = {
      scenario: scenario.id,
      peer: peer.id,
      round,
      at: new Date().toISOString(),
      versions: found[peer.id].versions,
    };
    const calibrationMs = calibrate();
    const outcome = await scenario.run(peer, pace).then(
      (figures) => ({ figures }),
      (error) => ({ error: error.message }),
    );
    taken.push((performance.now() - startedAt) / 1000);
    campaign.add({ ...turn, calibrationMs, seconds: taken.at(-1), ...outcome });
    if (outcome.error === undefined) continue;
    endProgress();
    console.error(`${what} does not count: ${outcome.error}`);
  }
  endProgress();
}

function conclude(report, turns) {
  const reasons = reasonsNotToPublish(report.runs, turns);
  const isAll = chosen.scenarios.length === allScenarios.length && chosen.peers.length === allPeers.length;
  if (!isAll || pace.isQuick || pace.rounds < 5 || pace.seconds < 4 || pace.workers !== 1)
    reasons.push('these are not all scenarios against all peers at the full pace');
  if (report.head.commit.includes('changes')) reasons.push('the working tree has changes');
  if (reasons.length > 0) console.log(`Not to be published:\n${reasons.map((reason) => `- ${reason}`).join('\n')}`);
  if (!values.publish) return;
  if (reasons.length > 0) process.exitCode = 1;
  else publish(report);
}

function machine() {
  const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  // Two trees with other changes are two builds, whose turns must not be mixed.
  const digest = () => createHash('sha256').update(git('diff', 'HEAD')).digest('hex').slice(0, 8);
  const changes = git('status', '--porcelain') === '' ? '' : ` with changes ${digest()}`;
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    kernel: release(),
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    commit: `${git('rev-parse', '--short', 'HEAD')}${changes}`,
  };
}
