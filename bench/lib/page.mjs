/** Runs to tables, and to the page with its charts. Pure: the same runs make the same text. */

import { drawBars } from './bar-chart.mjs';
import { table } from './report.mjs';
import { cellsOf } from './statistics.mjs';

/**
 * @typedef {object} Report what is kept of a benchmark, as JSON
 * @property {Record<string, any>} head
 * @property {Record<string, { versions?: Record<string, string>, missing?: string }>} peers those that took part, or why not
 * @property {import('./campaign.mjs').Run[]} runs
 *
 * @typedef {import('../scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./peer-server.mjs').Peer} Peer
 */

/**
 * The table of a scenario: a row for each peer that can take part, the best first where the scenario has a chart.
 * @param {Scenario} scenario
 * @param {readonly Peer[]} peers
 * @param {Report} report
 */
export function tableOf(scenario, peers, report) {
  const cells = cellsOf(report.runs).get(scenario.id) ?? new Map();
  // Without the peer that others are compared with, there is no ratio.
  const columns = scenario.columns.map(({ ratioTo, ...column }) => ({
    ...column,
    ratioTo: cells.has(ratioTo) ? ratioTo : undefined,
  }));
  const heads = columns.flatMap(({ head, ratioTo }) =>
    ratioTo === undefined ? [head] : [head, ratioHead(ratioTo, peers)],
  );
  const rows = sorted(scenario, peers, cells).map((peer) => {
    const cell = cells.get(peer.id);
    if (cell.runs.length === 0) return [peer.name, ...heads.map((_, index) => (index === 0 ? 'did not work' : ''))];
    return [peer.name, ...columns.flatMap((column) => shown(column, cell, cells))];
  });
  return table([[' ', ...heads], ...rows]);
}

function sorted(scenario, peers, cells) {
  const took = peers.filter(({ id }) => cells.has(id));
  const { chart } = scenario;
  if (chart === undefined) return took;
  const worst = chart.better === 'more' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = ({ id }) => cells.get(id).figures[chart.of]?.median ?? worst;
  const sign = chart.better === 'more' ? -1 : 1;
  return took.toSorted((one, other) => {
    const [first, second] = [value(one), value(other)];
    return first === second ? 0 : sign * (first < second ? -1 : 1);
  });
}

function ratioHead(id, peers) {
  return `to ${peers.find((peer) => peer.id === id)?.name ?? id}`;
}

function shown({ of, show = String, spread, ratioTo }, cell, cells) {
  const figure = cell.figures[of];
  if (figure === undefined) return [textOf(cell.runs.map((run) => run[of]))];
  const text = spread && figure.count > 1 ? `${show(figure.median)}${spreadOf(figure)}` : show(figure.median);
  if (ratioTo === undefined) return [text];
  const base = cells.get(ratioTo)?.figures[of]?.median;
  return [text, base === undefined || base === 0 ? '' : `${(figure.median / base).toFixed(2)}×`];
}

/** "± 3 %"; where the median is 0, from the lowest to the highest. */
function spreadOf({ median, low, high, spread }) {
  if (low === high) return '';
  return median === 0 || spread > 1 ? ` (${low} to ${high})` : ` ± ${Math.round(spread * 100)} %`;
}

/** What was said of the runs: of the same text once. */
function textOf(values) {
  return [...new Set(values.filter((value) => value !== undefined && value !== '').map(String))].join(' / ');
}

/** @returns {string} SVG */
export function chartOf(scenario, peers, report) {
  const cells = cellsOf(report.runs).get(scenario.id) ?? new Map();
  const { of, unit, better } = scenario.chart;
  const show = scenario.columns.find((column) => column.of === of)?.show ?? String;
  const bars = sorted(scenario, peers, cells).map(({ id, name, kind }) => ({
    ...{ name, kind, value: cells.get(id).figures[of] },
  }));
  return drawBars({ title: scenario.title, unit, better, bars, show });
}

/** Who took part, in which version, and who did not. */
export function peersTable(peers, report) {
  const rows = peers.flatMap(({ id, name, about }) => {
    const entry = report.peers[id];
    if (entry === undefined) return [];
    const versions = Object.entries(entry.versions ?? {}).map(([part, version]) => `${part} ${version}`);
    return [[name, entry.missing === undefined ? versions.join(', ') : 'did not take part', entry.missing ?? about]];
  });
  return [['peer', 'versions', 'how it runs'], ...rows]
    .map(([...cells]) => `| ${cells.join(' | ')} |`)
    .toSpliced(1, 0, '|---|---|---|')
    .join('\n');
}

export function machineOf({ date, node, kernel, cpu, cores, commit, rounds, seconds, warmUpSeconds, tool }) {
  return (
    `${date}, commit ${commit}, Node ${node}, Linux ${kernel}, ${cores} × ${cpu}, load by ${tool}. ` +
    `Rounds of ${seconds} s after a warm-up of ${warmUpSeconds} s: ${rounds} on good days, ${Math.min(rounds, 3)} on bad ones.`
  );
}

/**
 * The page, and its charts by their paths below it.
 * @param {readonly Scenario[]} scenarios
 * @param {readonly Peer[]} peers
 * @param {Report} report
 * @returns {Record<string, string>}
 */
export function pageOf(scenarios, peers, report) {
  const cells = cellsOf(report.runs);
  const measured = scenarios.filter(({ id }) => cells.has(id));
  const charts = measured.filter(({ chart }) => chart !== undefined);
  const day = (which, title, text) => [
    `## ${title}\n\n${text}`,
    ...measured.filter((scenario) => scenario.day === which).map((scenario) => section(scenario, peers, report)),
  ];
  const sections = [
    '# Benchmarks',
    '<!-- Generated by `npm run bench -- --publish` from bench/results.json: do not edit. -->',
    `${machineOf(report.head)}\n\nEach figure is the median of its runs; ± is half of the distance between the lowest and the highest. Peers took turns, each with new processes. ` +
      'The server and the load had cores of their own. Status and length of every answer were checked; a run with a fault does not count. Absolute figures say more about the machine than about the servers: compare what stands in one table.',
    ...day('good', 'Good days', 'One worker on one core, if nothing else is said.'),
    ...day(
      'bad',
      'Bad days',
      'Two workers. No client repeats a request. A request has failed if anything else came than the whole right answer.',
    ),
    `## Who took part\n\n${peersTable(peers, report)}`,
    `## Make them again\n\n\`npm run bench\` makes all of this; stopped, it goes on where it was. [bench/README.md](../bench/README.md) says how, and \`bench/results.json\` has every run.`,
  ];
  return {
    'benchmarks.md': `${sections.join('\n\n')}\n`,
    ...Object.fromEntries(
      charts.map((scenario) => [`benchmarks/${scenario.id}.svg`, chartOf(scenario, peers, report)]),
    ),
  };
}

function section(scenario, peers, report) {
  const { id, title, about, chart } = scenario;
  const picture =
    chart === undefined ? [] : [`![${title}: ${chart.unit}, ${chart.better} is better](benchmarks/${id}.svg)`];
  return [
    `### ${title}`,
    `${about[0].toUpperCase()}${about.slice(1)}.`,
    ...picture,
    tableOf(scenario, peers, report),
    ...notes(scenario, peers),
  ].join('\n\n');
}

function notes({ id }, peers) {
  const lacking = peers.filter(({ lacks }) => lacks?.[id] !== undefined);
  return lacking.length === 0
    ? []
    : [`Not here: ${lacking.map(({ name, lacks }) => `${name} (${lacks[id]})`).join(', ')}.`];
}
