/** What several runs of the same thing say together. */

/**
 * Between two values it is in proportion (R's type 7).
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const next = sorted[below + 1] ?? sorted[below];
  return sorted[below] + (next - sorted[below]) * (at - below);
}

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} low the lowest of all
 * @property {number} high the highest of all
 * @property {number} spread half of the distance between the two, as a part of the median; 0 where both are the same
 * @property {number} count
 */

/** @param {readonly number[]} values @returns {Summary} */
export function summarize(values) {
  const median = quantile(values, 0.5);
  const low = Math.min(...values);
  const high = Math.max(...values);
  return { median, low, high, spread: high === low ? 0 : (high - low) / 2 / Math.abs(median), count: values.length };
}

/**
 * @typedef {object} Cell all runs of one peer in one scenario, that count
 * @property {Record<string, unknown>[]} runs
 * @property {Record<string, Summary>} figures those that are numbers in each run
 * @property {string[]} errors
 */

/**
 * @param {readonly import('./campaign.mjs').Run[]} runs
 * @returns {Map<string, Map<string, Cell>>} by scenario and peer, in the order of their first runs
 */
export function cellsOf(runs) {
  /** @type {Map<string, Map<string, Cell>>} */
  const scenarios = new Map();
  for (const { scenario, peer, figures, error } of runs) {
    const peers = scenarios.get(scenario) ?? new Map();
    scenarios.set(scenario, peers);
    const cell = peers.get(peer) ?? { runs: [], figures: {}, errors: [] };
    peers.set(peer, cell);
    if (error === undefined) cell.runs.push(figures);
    else if (!cell.errors.includes(error)) cell.errors.push(error);
  }
  for (const peers of scenarios.values()) for (const cell of peers.values()) cell.figures = summaries(cell.runs);
  return scenarios;
}

function summaries(runs) {
  const names = Object.keys(runs[0] ?? {}).filter((name) => runs.every((run) => typeof run[name] === 'number'));
  return Object.fromEntries(names.map((name) => [name, summarize(runs.map((run) => run[name]))]));
}
