/** A scenario of a good day: as many requests as the server answers, from one process on a core of its own. */

import { generate } from './generator.mjs';
import { quietestOf } from './noise.mjs';
import { startPeer } from './peer-server.mjs';
import { milliseconds, rate } from './report.mjs';

/** @type {import('../scenarios/index.mjs').Column[]} */
export const throughputColumns = [
  { of: 'rate', head: 'requests/s', show: rate, spread: true, ratioTo: 'node-http' },
  { of: 'p50', head: 'p50', show: milliseconds },
  { of: 'p99', head: 'p99', show: milliseconds },
  { of: 'cpuUs', head: 'CPU µs/request', show: (value) => value.toFixed(1) },
];

/**
 * @param {{ id: string, title: string, about: string, isMain?: boolean, load: import('./generator.mjs').Load }} description
 * @returns {import('../scenarios/index.mjs').Scenario}
 */
export function throughput({ load, ...description }) {
  return {
    ...description,
    day: 'good',
    columns: throughputColumns,
    chart: { of: 'rate', unit: 'requests per second', better: 'more' },
    seconds: (pace) => pace.warmUpSeconds + pace.seconds + 3,
    async run(peer, pace) {
      const server = await startPeer(peer, pace.workers);
      try {
        await generate(server, load, pace.warmUpSeconds);
        return await quietestOf(() => generate(server, load, pace.seconds), pace.isQuick);
      } finally {
        await server.stop();
      }
    },
  };
}
