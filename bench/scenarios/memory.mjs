/** What a worker more costs: the memory of all processes, what they share counted once. */

import { hello } from '../lib/expected.mjs';
import { generate } from '../lib/generator.mjs';
import { allWorkers, startPeer } from '../lib/peer-server.mjs';
import { proportionalBytes } from '../lib/processes.mjs';

const workers = 4;
const load = { connections: 64, path: '/', expect: { status: 200, body: hello } };
const mib = (value) => `${value.toFixed(1)} MiB`;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'memory',
  title: 'Memory',
  about: `${workers} workers, their master counted in: proportional memory (PSS) of all processes together, divided by ${workers}`,
  isMain: true,
  day: 'good',
  columns: [
    { of: 'idle', head: 'per worker after the start', show: mib, spread: true },
    { of: 'loaded', head: 'after load', show: mib, ratioTo: 'node-cluster-rr' },
  ],
  chart: { of: 'loaded', unit: 'MiB per worker after load', better: 'less' },
  seconds: (pace) => pace.seconds + 5,
  async run(peer, pace) {
    const server = await startPeer(peer, workers);
    try {
      await allWorkers(server);
      const perWorker = () =>
        server.processes().reduce((sum, pid) => sum + proportionalBytes(pid), 0) / workers / 1024 ** 2;
      const idle = perWorker();
      await generate(server, load, pace.seconds);
      return { idle, loaded: perWorker() };
    } finally {
      await server.stop();
    }
  },
};
