/**
 * Slow clients, of our own and of slowhttptest: what the others notice of them, what memory they hold, and when they are cut.
 *
 *   node bench/slow.mjs [MODE…] [--quick] [--connections N]
 */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDripping } from './lib/drippers.mjs';
import { startProbe } from './lib/probe.mjs';
import { forgetPeak, residentBytes } from './lib/processes.mjs';
import { judge, median, milliseconds, printMachine, printTable, rate } from './lib/report.mjs';
import { startServer, tsgun } from './lib/servers.mjs';
import { runSlowhttptest } from './lib/slowhttptest.mjs';
import { runWrk } from './lib/wrk.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    connections: { type: 'string' },
  },
});
const connections = Number(values.connections ?? (values.quick ? 200 : 2000));
const headerSeconds = values.quick ? 5 : 15;
const bodySeconds = values.quick ? 8 : 30;
/** Sweeps, and a machine that has two cores for all of this. */
const leewaySeconds = 2;
/** For the slow clients and the others. A worker holds 10,000 by itself; beyond, each newcomer ends a slow one. */
const room = ['--worker-connections', String(connections + 1000)];
const load = { connections: 16 };

/** Connections that slowhttptest opens in a second. */
const perSecond = 1000;
const maxBytesPerConnection = 128 * 1024;
/** What the worker grows by when it begins to work, whoever comes. */
const maxBaseBytes = 64 * 2 ** 20;

/** The modes of slowhttptest, and the timeout that each runs into. */
const modes = {
  header: {
    what: 'slowhttptest -H: a header field now and then, and never the last',
    options: ['-H', '-i', String(Math.ceil(headerSeconds / 4)), '-x', '24'],
    path: '',
    seconds: headerSeconds,
  },
  body: {
    what: 'slowhttptest -B: a piece of the body, and then silence',
    // What says something within the timeout is slow, but not silent: it is not cut.
    options: ['-B', '-i', String(bodySeconds + 10), '-s', '8192', '-x', '10'],
    path: '',
    seconds: bodySeconds,
  },
  read: {
    what: 'slowhttptest -X: 16 MB asked for, and 32 bytes of it read every five seconds',
    options: ['-X', '-w', '512', '-y', '1024', '-n', '5', '-z', '32', '-k', '3'],
    path: 'large',
    seconds: bodySeconds,
    // Node looks at what has gone out once in the timeout, and cuts at the second look; and as long as the kernel, short of
    // memory for 2,000 full buffers, still takes some, nobody has stalled.
    latestSeconds: 2 * bodySeconds + 20,
  },
};

const chosen = positionals.length > 0 ? positionals : ['drip', ...Object.keys(modes)];
const unknown = chosen.find((name) => name !== 'drip' && !(name in modes));
if (unknown !== undefined) {
  console.error(`no mode ${JSON.stringify(unknown)}; there are drip, ${Object.keys(modes).join(', ')}`);
  process.exit(1);
}
printMachine();
for (const name of chosen) await (name === 'drip' ? drip() : attack(name, modes[name]));

async function attack(name, { what, options, path, seconds, latestSeconds = seconds }) {
  console.log(`### ${name}: ${what}\n`);
  const timeouts = ['--header-timeout', headerSeconds, '--body-timeout', bodySeconds].map(String);
  const server = await startServer(tsgun(undefined, 'tsgun', [...timeouts, ...room]), 'slow');
  try {
    const first = startProbe(server.url);
    await sleep(5000);
    const alone = await first.stop();
    forgetPeak(server.workerPid);
    const before = residentBytes(server.workerPid);
    const probe = startProbe(server.url);
    const opening = connections / perSecond;
    const forSeconds = Math.ceil(opening + latestSeconds) + 15;
    const load = { server, path, connections, perSecond, seconds: forSeconds };
    const run = await runSlowhttptest(options, load);
    const beside = await probe.stop();
    const grown = (residentBytes(server.workerPid, 'VmHWM') - before) / connections;
    printTable([
      ['other clients', 'requests', 'p50', 'p99', 'longest'],
      ...Object.entries({ alone, beside }).map(([when, { count, p50, p99, max }]) => [
        when,
        String(count),
        ...[p50, p99, max].map(milliseconds),
      ]),
    ]);
    console.log(
      `${run.most} were open at once, and cut from second ${run.firstCut.toFixed(1)} to ${run.lastCut.toFixed(1)}; ` +
        `at the most ${(grown / 1024).toFixed(0)} KB of the worker's memory for each\n`,
    );
    for (const error of beside.errors) judge(`no errors for the others: ${error}`, false);
    judge("other clients' p99 under 50 ms", beside.p99 < 50);
    judge(`at least 95 in 100 of ${connections} are open at once`, run.most >= connections * 0.95);
    const late = latestSeconds + opening + leewaySeconds;
    judge(
      `all are cut by the timeout of ${seconds} s${latestSeconds > seconds ? `, at ${latestSeconds} s at the latest` : ''}, none before it`,
      run.firstCut >= seconds - 0.5 && run.lastCut <= late,
    );
    judge(
      'under 128 KB of memory for each, beside 64 MB for all',
      (grown - maxBytesPerConnection) * connections < maxBaseBytes,
    );
    console.log();
  } finally {
    await server.stop();
  }
}

async function drip() {
  console.log(
    `### drip: ${connections} clients that drip a header byte a second; header timeout ${headerSeconds} s.\n`,
  );
  const options = ['--header-timeout', String(headerSeconds), ...room];
  const server = await startServer(tsgun(undefined, 'tsgun', options), 'hello');
  try {
    await runWrk(server, load, 2);
    const alone = await runWrk(server, load, 5);

    const { cuts, stop } = await startDripping(server.port, connections);
    const beside = await runWrk(server, load, Math.floor(headerSeconds * 0.8));
    const deadline = performance.now() + (headerSeconds + leewaySeconds) * 1000;
    while (cuts.length < connections && performance.now() < deadline) await sleep(100);
    stop();
    report(alone, beside, cuts);
  } finally {
    await server.stop();
  }
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
  console.log();
}
