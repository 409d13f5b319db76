/** Whether the machine was quiet enough for figures that others will read. */

import { performance } from 'node:perf_hooks';
import { quantile } from './statistics.mjs';

export const limits = {
  /** The part of a core that others may take in a turn. */
  foreign: 0.1,
  /** The same where the server and the load share all cores. */
  foreignOfAll: 0.2,
  /** A turn above that is repeated so often at the most. */
  repeats: 3,
  /** The same in a quick run, which is for no publication. */
  quickRepeats: 1,
  /** So many of the turns may be above that. */
  noisyTurns: 0.05,
  /** The same loop, before every turn: its 90th percentile to its median. It also sees what the kernel does not: a slower clock, a host's other guests. */
  calibration: 1.1,
};

/**
 * Measures again where others took part of a core; the quietest counts.
 * @template {{ foreign: number }} F
 * @param {() => Promise<F>} measure
 * @param {boolean} [isQuick]
 * @returns {Promise<F>}
 */
export async function quietestOf(measure, isQuick = false) {
  const most = isQuick ? limits.quickRepeats : limits.repeats;
  let best = await measure();
  for (let repeats = 0; best.foreign > limits.foreign && repeats < most; repeats++) {
    const again = await measure();
    if (again.foreign < best.foreign) best = again;
  }
  return best;
}

const loops = 20_000_000;
const tries = 3;

/** @returns the least time of a few that a fixed piece of work took, in milliseconds */
export function calibrate() {
  const times = Array.from({ length: tries }, () => {
    const startedAt = performance.now();
    let value = 1;
    for (let count = 0; count < loops; count++) value = (value * 1_103_515_245 + 12_345) & 0x7fffffff;
    // So that the compiler cannot leave the loop out.
    return performance.now() - startedAt + (value === -1 ? 1 : 0);
  });
  return Math.min(...times);
}

/**
 * Why these runs must not be published; empty if nothing is in the way.
 * @param {readonly import('./campaign.mjs').Run[]} runs
 * @param {readonly import('./campaign.mjs').Turn[]} turns all that were to be made
 * @returns {string[]}
 */
export function reasonsNotToPublish(runs, turns) {
  const reasons = [];
  const done = new Set(runs.map(({ scenario, peer, round }) => `${scenario} ${peer} ${round}`));
  const missing = turns.filter(({ scenario, peer, round }) => !done.has(`${scenario} ${peer} ${round}`));
  if (missing.length > 0) reasons.push(`${missing.length} of ${turns.length} turns have not been made`);
  const failed = runs.filter(({ error }) => error !== undefined);
  for (const { scenario, peer, round, error } of failed)
    reasons.push(`${scenario}, ${peer}, round ${round} does not count: ${error.split('\n')[0]}`);
  const foreign = runs.map(({ figures }) => figures?.foreign).filter((share) => typeof share === 'number');
  const noisy = foreign.filter((share) => share > limits.foreign).length;
  if (noisy > foreign.length * limits.noisyTurns)
    reasons.push(
      `other processes took more than ${limits.foreign * 100} % of a core in ${noisy} of ${foreign.length} turns`,
    );
  const calibrations = runs.map(({ calibrationMs }) => calibrationMs);
  const ratio = quantile(calibrations, 0.9) / quantile(calibrations, 0.5);
  if (ratio > limits.calibration)
    reasons.push(`the same loop took ${ratio.toFixed(2)} times as long in one turn in ten as in half of them`);
  return reasons;
}
