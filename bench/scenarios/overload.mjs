/** Half a minute of twice as many requests as the processor can serve. */

import { count, onABadDay, seconds, workers } from '../lib/bad-day.mjs';
import { hello } from '../lib/expected.mjs';
import { figuresOf, offerPhases } from '../lib/overload.mjs';
import { serverCoreCount } from '../lib/peer-server.mjs';
import { milliseconds } from '../lib/report.mjs';

/** Each takes 10 ms of a core. */
const capacity = 100 * Math.min(workers, serverCoreCount);
const lengths = { full: [10, 30, 10], quick: [5, 10, 5] };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'overload',
  title: 'Twice the capacity',
  about:
    'requests that take 10 ms of a core each: half as many as the cores can serve for 10 seconds, twice as many for 30, half as many again. Clients wait for 20 seconds at the most. Who can refuse what it cannot answer in time does so',
  day: 'bad',
  rounds: 3,
  columns: [
    { of: 'goodput', head: 'answered per second of the overload', show: count, spread: true },
    { of: 'p50', head: 'p50 of these', show: milliseconds },
    { of: 'p99', head: 'p99', show: milliseconds },
    { of: 'refused', head: '503', show: count },
    { of: 'failed', head: 'no answer, or a wrong one', show: count },
    { of: 'recovery', head: 'well again after', show: seconds },
  ],
  chart: { of: 'p99', unit: 'milliseconds, p99 of the answered', better: 'less' },
  seconds: ({ isQuick }) => 8 + lengthsOf(isQuick).reduce((sum, each) => sum + each),
  run(peer, { isQuick }) {
    const [half, twice, after] = lengthsOf(isQuick);
    const phases = [
      ['half', capacity / 2, half],
      ['twice', capacity * 2, twice],
      ['after', capacity / 2, after],
    ];
    const happen = async (server) => figuresOf(await offerPhases(server.port, '/cpu', phases, hello.length), phases);
    return onABadDay(peer, happen, { shedsLoad: true });
  },
};

const lengthsOf = (isQuick) => (isQuick ? lengths.quick : lengths.full);
