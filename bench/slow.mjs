/**
 * Clients that drip a header byte a second: what the others notice of them, and when they are cut.
 *
 *   node bench/slow.mjs [--quick] [--connections N]
 */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openMany } from './lib/clients.mjs';
import { judge, median, milliseconds, printMachine, printTable, rate } from './lib/report.mjs';
import { startServer, tsgun } from './lib/servers.mjs';
import { runWrk } from './lib/wrk.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    connections: { type: 'string' },
  },
});
const connections = Number(values.connections ?? (values.quick ? 200 : 2000));
const headerSeconds = values.quick ? 5 : 15;
/** Sweeps, and a machine that has two cores for all of this. */
const leewaySeconds = 2;
const load = { connections: 16 };
const line = 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Drip: ';

printMachine();
console.log(`${connections} clients that drip a header byte a second; header timeout ${headerSeconds} s.\n`);
const server = await startServer(tsgun(undefined, 'tsgun', ['--header-timeout', String(headerSeconds)]), 'hello');
try {
  await runWrk(server, load, 2);
  const alone = await runWrk(server, load, 5);

  /** @type {{ seconds: number, said: string }[]} */
  const cuts = [];
  const sockets = await openMany(server.port, connections, (socket) => watch(socket, cuts));
  let position = 0;
  const drip = setInterval(() => {
    const byte = line[position] ?? 'x';
    position++;
    for (const socket of sockets) if (socket.writable) socket.write(byte);
  }, 1000);
  const beside = await runWrk(server, load, Math.floor(headerSeconds * 0.8));
  const deadline = performance.now() + (headerSeconds + leewaySeconds) * 1000;
  while (cuts.length < connections && performance.now() < deadline) await sleep(100);
  clearInterval(drip);
  for (const socket of sockets) socket.destroy();
  report(alone, beside, cuts);
} finally {
  await server.stop();
}

function watch(socket, cuts) {
  const startedAt = performance.now();
  let said = '';
  let isCut = false;
  const cut = () => {
    if (isCut) return;
    isCut = true;
    cuts.push({ seconds: (performance.now() - startedAt) / 1000, said });
    socket.destroy();
  };
  socket.on('data', (bytes) => (said += bytes.toString('latin1')));
  // Not 'close' alone: our own destroy at the end is no cut of the server's.
  socket.on('end', cut);
  socket.on('error', cut);
}

function report(alone, beside, cuts) {
  printTable([
    ['other clients', 'requests/s', 'p50', 'p99'],
    ['alone', rate(alone.rate), milliseconds(alone.p50), milliseconds(alone.p99)],
    ['beside the drippers', rate(beside.rate), milliseconds(beside.p50), milliseconds(beside.p99)],
  ]);
  const times = cuts.map((cut) => cut.seconds);
  const answered = cuts.filter((cut) => cut.said.startsWith('HTTP/1.1 408 ')).length;
  if (times.length > 0)
    console.log(
      `cut: ${cuts.length} of ${connections}, after ${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} s ` +
        `(median ${median(times).toFixed(1)} s); ${answered} were told 408\n`,
    );
  for (const { errors } of [alone, beside]) if (errors !== '') judge(`no errors for the others: ${errors}`, false);
  judge("other clients' p99 under 50 ms", beside.p99 < 50);
  judge(
    'every dripper is cut by the header timeout, none before it',
    cuts.length === connections &&
      Math.min(...times) >= headerSeconds - 0.1 &&
      Math.max(...times) <= headerSeconds + leewaySeconds,
  );
  judge('each is told 408', answered === connections);
}
