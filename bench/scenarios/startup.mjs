/** From the command to the first answer. */

import { startPeer } from '../lib/peer-server.mjs';

const seconds = (value) => `${(value / 1000).toFixed(2)} s`;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'startup',
  title: 'Start-up time',
  about: 'from the start of the command with one worker to its first answer; asked every few milliseconds',
  isMain: true,
  day: 'good',
  columns: [{ of: 'startMs', head: 'until the first answer', show: seconds, spread: true, ratioTo: 'node-http' }],
  chart: { of: 'startMs', unit: 'milliseconds', better: 'less' },
  seconds: () => 3,
  async run(peer) {
    const server = await startPeer(peer, 1);
    await server.stop();
    return { startMs: server.startMs };
  },
};
