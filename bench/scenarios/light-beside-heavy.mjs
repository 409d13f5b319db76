/** Requests that need nothing, beside one that needs the processor. */

import { setTimeout as sleep } from 'node:timers/promises';
import { offer } from '../lib/arrivals.mjs';
import { ask, badDayColumns, count, figuresOf, workers } from '../lib/bad-day.mjs';
import { allWorkers, startPeer } from '../lib/peer-server.mjs';
import { milliseconds } from '../lib/report.mjs';
import { quantile } from '../lib/statistics.mjs';

const lightPerSecond = 100;
const heavy = { path: '/fib/32', body: '2178309\n' };

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'light-beside-heavy',
  title: 'Light requests beside a heavy one',
  about: `${workers} workers; one client asks for the Fibonacci number of 32, computed naively, again and again, while 100 light requests come per second, each on a connection of its own`,
  day: 'good',
  columns: [
    { of: 'p50', head: 'p50 of the light ones', show: milliseconds },
    { of: 'p99', head: 'p99', show: milliseconds, spread: true },
    { of: 'heavy', head: 'heavy ones answered', show: count },
    ...badDayColumns.slice(1, 3),
  ],
  chart: { of: 'p99', unit: 'milliseconds, p99 of the light ones', better: 'less' },
  seconds: (pace) => pace.seconds + pace.warmUpSeconds + 4,
  async run(peer, pace) {
    const server = await startPeer(peer, workers);
    let isOver = false;
    let answered = 0;
    const askHeavy = async () => {
      while (!isOver) {
        const { status, length } = await ask(server.port, heavy.path);
        if (status !== 200 || length !== heavy.body.length) throw new Error(`a heavy request was answered ${status}`);
        answered++;
      }
    };
    try {
      await allWorkers(server);
      const asking = askHeavy();
      // It is awaited below; what fails before that is thrown there.
      asking.catch(() => {});
      await sleep(pace.warmUpSeconds * 1000);
      answered = 0;
      const light = offer(server.port, lightPerSecond);
      await sleep(pace.seconds * 1000);
      const heavyOnes = answered;
      await light.stop();
      isOver = true;
      await asking;
      const waits = light.results.map(({ ms }) => ms);
      return { ...figuresOf(light.results), p50: quantile(waits, 0.5), heavy: heavyOnes };
    } finally {
      isOver = true;
      await server.stop();
    }
  },
};
