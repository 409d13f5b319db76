/**
 * Heads that are costly to read: 14 requests at once, each with 97 fields of `Transfer-Encoding: a<8,000 tabs>b`, which is 786 KB
 * within the default limits. What another client waits meanwhile, and what they take of the worker. The server has a core to
 * itself; all clients have the other one.
 *
 *   node bench/bad-heads.mjs [--rounds N] [--requests N] [--cli PATH]
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coreBusyMs, cpuMs } from './lib/processes.mjs';
import { judge, median, milliseconds, printMachine, printTable } from './lib/report.mjs';
import { serverCore, startServer, tsgun } from './lib/servers.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '14' },
    cli: { type: 'string', default: fileURLToPath(new URL('../dist/cli.js', import.meta.url)) },
    attack: { type: 'string' },
  },
});
const field = `Transfer-Encoding: a${'\t'.repeat(8000)}b\r\n`;
const request = `POST / HTTP/1.1\r\nHost: h\r\n${field.repeat(97)}\r\n`;
const limitMs = 50;
/** A volley during which others had more than a tenth of the server's core is tried again. */
const turnsAtMost = 3;

if (values.attack === undefined) await measure();
else await attack(Number(values.attack));

/** In a process of its own: one volley for each message. */
async function attack(port) {
  process.on('message', async () => {
    const answers = await Promise.all(Array.from({ length: Number(values.requests) }, () => send(port)));
    process.send(answers.filter((answer) => answer.startsWith('HTTP/1.1 400 ')).length);
  });
  process.send('ready');
}

function send(port) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
    socket.setEncoding('latin1').on('data', (text) => (answer += text));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

async function measure() {
  printMachine();
  const server = await startServer(tsgun(values.cli), 'hello');
  const attacker = fork(fileURLToPath(import.meta.url), [
    '--attack',
    String(server.port),
    '--requests',
    values.requests,
  ]);
  try {
    await once(attacker, 'message');
    const other = await openKept(server.port);
    const rows = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      let quietest;
      for (let turn = 0; turn < turnsAtMost && !(quietest?.others <= quietest?.ms / 10); turn++) {
        const row = await volley(server, other, attacker);
        if (quietest === undefined || row.others / row.ms < quietest.others / quietest.ms) quietest = row;
      }
      rows.push(quietest);
    }
    other.close();
    printTable([
      [
        'round',
        'longest wait before',
        'meanwhile',
        'CPU of the worker, the other client included',
        'others had of its core',
      ],
      ...rows.map(({ before, wait, cpu, others }, index) => [
        ...[String(index + 1), milliseconds(before), milliseconds(wait), milliseconds(cpu), milliseconds(others)],
      ]),
    ]);
    judge(
      'each of these requests was refused',
      rows.every(({ refused }) => refused === Number(values.requests)),
    );
    const waits = rows.map(({ wait }) => wait);
    judge(
      `another client waits less than ${limitMs} ms (median of rounds: ${milliseconds(median(waits))})`,
      Math.max(...waits) < limitMs,
    );
  } finally {
    attacker.disconnect();
    attacker.kill();
    await server.stop();
  }
}

async function volley({ workerPid }, other, attacker) {
  const before = await other.longestWait(sleep(500));
  const [cpuBefore, busyBefore, begunAt] = [cpuMs(workerPid), coreBusyMs(serverCore), performance.now()];
  attacker.send('go');
  let refused;
  const wait = await other.longestWait(once(attacker, 'message').then(([count]) => (refused = count)));
  const cpu = cpuMs(workerPid) - cpuBefore;
  const others = Math.max(0, coreBusyMs(serverCore) - busyBefore - cpu);
  return { before, wait, cpu, others, refused, ms: performance.now() - begunAt };
}

/** A client that asks again as soon as it is answered, on one connection. */
async function openKept(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return {
    /** In milliseconds, until the promise settles. */
    async longestWait(until) {
      let isOver = false;
      void until.finally(() => (isOver = true));
      let longest = 0;
      while (!isOver) {
        const sentAt = performance.now();
        socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        await once(socket, 'data');
        longest = Math.max(longest, performance.now() - sentAt);
        await sleep(1);
      }
      return longest;
    },
    close: () => socket.destroy(),
  };
}
