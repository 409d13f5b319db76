/** Clients that leave: amid their body, or while the app works on their answer. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { badDayColumns, count, onABadDay, underLoad } from '../lib/bad-day.mjs';
import { openFiles } from '../lib/processes.mjs';

const perSecond = 50;
const lengthMs = { full: 20_000, quick: 8000 };
/** The app works for a second. */
const settleMs = 3000;
const leaveAfterMs = 100;

const upload =
  'POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\nhalf';
const wait = 'GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** @type {import('./index.mjs').Scenario} */
export default {
  id: 'leavers',
  title: 'Clients that leave',
  about:
    '50 clients per second leave after a tenth of a second: half of them amid an upload, half while the app waits for a second before it answers; 100 other requests per second. Files left open: those of the processes three seconds after the last one, less those before the first',
  day: 'bad',
  rounds: 3,
  columns: [...badDayColumns, { of: 'left', head: 'files left open', show: count }],
  chart: { of: 'p99', unit: 'milliseconds, p99 of the others', better: 'less' },
  seconds: ({ isQuick }) => 6 + (isQuick ? lengthMs.quick : lengthMs.full) / 1000,
  run: (peer, { isQuick }) =>
    onABadDay(peer, async (server) => {
      const files = () => server.processes().reduce((sum, pid) => sum + openFiles(pid), 0);
      const before = files();
      const figures = await underLoad(server, async () => {
        const clients = ((isQuick ? lengthMs.quick : lengthMs.full) / 1000) * perSecond;
        for (let number = 0; number < clients; number++) {
          leave(server.port, number % 2 === 0 ? upload : wait, number % 4 < 2);
          await sleep(1000 / perSecond);
        }
        return {};
      });
      await sleep(settleMs);
      return { ...figures, left: Math.max(0, files() - before) };
    }),
};

function leave(port, text, isReset) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).write(text);
  setTimeout(() => (isReset ? socket.resetAndDestroy() : socket.destroy()), leaveAfterMs);
}
