/** What idle keep-alive connections cost. */

import { setTimeout as sleep } from 'node:timers/promises';
import { count } from '../lib/bad-day.mjs';
import { openMany, wasAnswered } from '../lib/clients.mjs';
import { startPeer } from '../lib/peer-server.mjs';
import { proportionalBytes } from '../lib/processes.mjs';

const connections = 10_000;
/** So many ask at once: no more than any accept queue holds. */
const batch = 500;
const settleMs = 1000;

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'idle',
  title: 'Ten thousand idle connections',
  about: `${connections.toLocaleString('en')} keep-alive connections, each after one request, in one worker: the memory of all processes (PSS), less what they had before the first`,
  day: 'good',
  rounds: 3,
  columns: [
    {
      of: 'bytes',
      head: 'memory per connection',
      show: (value) => `${(value / 1024).toFixed(1)} KB`,
      spread: true,
      ratioTo: 'node-http',
    },
    { of: 'kept', head: 'answered and kept', show: count },
  ],
  chart: { of: 'bytes', unit: 'bytes per connection', better: 'less' },
  seconds: () => 12,
  async run(peer) {
    const server = await startPeer(peer, 1, { maxConnections: connections + 1000 });
    const memory = () => server.processes().reduce((sum, pid) => sum + proportionalBytes(pid), 0);
    /** @type {import('node:net').Socket[]} */
    const sockets = [];
    try {
      await sleep(settleMs);
      const before = memory();
      let answered = 0;
      while (sockets.length < connections) {
        const opened = await openMany(server.port, batch);
        sockets.push(...opened);
        answered += (await Promise.all(opened.map(wasAnswered))).filter(Boolean).length;
      }
      await sleep(settleMs);
      const kept = sockets.filter((socket) => !socket.readableEnded && !socket.destroyed).length;
      if (answered < connections)
        throw new Error(`${answered} of ${connections} connections were answered, ${kept} kept`);
      // Memory for each says nothing of a server that has closed them.
      if (kept < connections) throw new Error(`only ${kept} of ${connections} connections were kept`);
      return { bytes: (memory() - before) / connections, kept };
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.stop();
    }
  },
};
