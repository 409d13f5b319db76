/** Signals at random moments, a stop among them, until a minute is over. The seed repeats the choices, not the moments. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../lib/random.mjs';
import { wallMs } from './client.mjs';

const runMs = 60_000;
const stops = ['SIGTERM', 'SIGINT', 'SIGQUIT'];
/** When the stop comes: mostly in service, and at each of the delicate moments. */
const moments = ['service', 'boot', 'reload', 'service', 'stop'];

export const signals = {
  what: 'HUP, TTIN, TTOU, USR1 at random, and start and stop at any moment, for 60 s',
  async run(storm) {
    const { seed, withUsr2 } = storm.options;
    storm.say(`seed ${seed}\n`);
    const random = seeded(seed);
    const harmless = ['SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR1', ...(withUsr2 ? ['SIGWINCH', 'SIGUSR2'] : [])];
    const endAt = wallMs() + runMs;
    let [cycles, turnedAway, cut] = [0, 0, 0];
    const problems = [];
    while (wallMs() < endAt) {
      const outcome = await cycle(storm, random, harmless, cycles++);
      turnedAway += outcome.turnedAway;
      cut += outcome.cut;
      problems.push(...outcome.problems);
    }
    storm.say(
      `${cycles} servers; at their stop ${turnedAway} new connections turned away, ${cut} requests cut by quick stops`,
    );
    for (const problem of problems) storm.say(`- ${problem}`);
    storm.say('');
    storm.verdict(
      'nothing lost but to quick stops, every stop clean: exit code 0, no process left, port free',
      problems.length === 0,
    );
  },
};

/** One server's life. */
async function cycle(storm, random, harmless, number) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const moment = pick(moments);
  const stop = pick(stops);
  const label = `${number + 1}: ${stop} in ${moment}`;
  const server = await storm.prepareServer();
  server.spawn(['--workers', String(1 + Math.floor(random() * 3))]);
  let load;
  if (moment === 'boot') await sleep(random() * 600);
  else {
    await server.event('listening');
    load = storm.load(server, label);
    for (let count = Math.floor(random() * 8); count >= 0; count--) {
      await sleep(50 + random() * 500);
      await give(server, pick(harmless), random);
    }
    if (moment === 'reload') {
      server.signal('SIGHUP');
      await sleep(random() * 500);
    }
  }
  // As a balancer does: no new connections for one that is told to stop.
  load?.noMoreConnections();
  const stopAt = wallMs();
  // After USR2 there are two masters.
  const masters = new Set([server.pid, ...server.lines('master_started').map(({ pid }) => pid)]);
  for (const pid of masters) trySignal(server, stop, pid);
  let isQuick = stop !== 'SIGTERM';
  if (moment === 'stop') {
    await sleep(random() * 300);
    if (server.exit === undefined) for (const pid of masters) trySignal(server, pick(stops), pid);
    isQuick = true;
  }
  const exit = await server.exited();
  await gone([...masters]);
  await load?.stop();
  return judgeCycle({ server, load, label, stopAt, isQuick, exit, isBooting: moment === 'boot' });
}

async function judgeCycle({ server, load, label, stopAt, isQuick, exit, isBooting }) {
  const problems = [];
  // Node takes a moment before any of our code runs; a signal then is the system's to answer.
  const isTooEarly = isBooting && exit.signal !== null && server.log.length === 0;
  if (exit.code !== 0 && !isTooEarly) problems.push(`${label}: exit ${exit.code ?? exit.signal}\n${server.tail()}`);
  const left = server.leftBehind();
  if (left.length > 0) problems.push(`${label}: left behind: ${left.join(', ')}`);
  if (!(await isFree(server.port))) problems.push(`${label}: port ${server.port} is not free`);
  let [turnedAway, cut] = [0, 0];
  for (const failure of load?.failures ?? []) {
    if (failure.at < stopAt) problems.push(`${label}: lost before the stop: ${failure.kind}`);
    else if (isQuick) cut++;
    // It came when the server was leaving.
    else if (failure.connectedAt > stopAt) turnedAway++;
    else problems.push(`${label}: lost in a graceful stop: ${failure.kind}`);
  }
  return { problems, turnedAway, cut };
}

/** One signal; a service that is told to have no workers, or a second master, is given what belongs to that. */
async function give(server, signal, random) {
  const masters = server.lines('master_started');
  if (signal !== 'SIGUSR2') server.signal(signal);
  if (signal === 'SIGWINCH') {
    // Without a worker, clients wait in the kernel's queue; a stop that comes before the next worker is asked for resets them.
    await sleep(random() * 300);
    const workers = server.lines('worker_spawned').length;
    server.signal('SIGHUP');
    await server.until(() => server.lines('worker_spawned').length > workers, 'a worker after HUP');
  } else if (signal === 'SIGUSR2' && masters.length === 1) {
    server.signal(signal);
    await server.event('master_started', 2);
  }
}

/** The process that was started has exited; a second master may take a moment longer. */
async function gone(pids) {
  for (const giveUpAt = wallMs() + 5000; wallMs() < giveUpAt; await sleep(20))
    if (!pids.some((pid) => isAlive(pid))) return;
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function trySignal(server, name, pid) {
  try {
    server.signal(name, pid);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function isFree(port) {
  const probe = createServer().listen(port, '127.0.0.1');
  return Promise.race([once(probe, 'listening').then(() => true), once(probe, 'error').then(() => false)])
    .catch(() => false)
    .finally(() => probe.close());
}
