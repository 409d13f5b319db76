/** More connections than descriptors. */

import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, isGood, onABadDay, seconds, underLoad } from '../lib/bad-day.mjs';

const maxFiles = 256;
const clients = 1000;
const perSecond = 500;
const heldMs = 10_000;
const afterMs = 5000;
const beforeMs = 2000;
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'descriptors',
  title: 'Out of descriptors',
  about: `each process may have ${maxFiles} files open (\`ulimit -n\`); 1,000 clients connect, ask once and stay for ${heldMs / 1000} seconds. 100 other requests per second, each on a connection of its own`,
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'recovery', head: 'well again after they have left', show: seconds }],
  chart: { of: 'failed', unit: 'failed requests of the others', better: 'less' },
  seconds: () => 8 + (beforeMs + heldMs + afterMs) / 1000 + clients / perSecond,
  run: (peer) =>
    onABadDay(
      peer,
      (server) =>
        underLoad(server, async () => {
          await sleep(beforeMs);
          const sockets = [];
          for (let number = 0; number < clients; number++) {
            const socket = connect({ port: server.port, host: '127.0.0.1' });
            socket.on('error', () => {}).write(request);
            sockets.push(socket);
            if (number % 10 === 9) await sleep(10_000 / perSecond);
          }
          await sleep(heldMs);
          for (const socket of sockets) socket.destroy();
          const leftAt = performance.now();
          await sleep(afterMs);
          return (results) => {
            const bad = results.filter((each) => each.sentAt > leftAt && !isGood(each)).map(({ sentAt }) => sentAt);
            return { recovery: bad.length === 0 ? 0 : (Math.max(...bad) - leftAt) / 1000 };
          };
        }),
      { maxFiles },
    ),
};
