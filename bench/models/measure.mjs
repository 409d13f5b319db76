/** One turn of one row: what it does with light requests alone, with light ones beside a heavy one, and with heavy ones. */

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { coreBusyMs, cpuMs, endedChildrenCpuMs, privateBytes, processTree, residentBytes } from '../lib/processes.mjs';
import { runWrk } from '../lib/wrk.mjs';
import { arrive, ask, openKept } from './arrivals.mjs';
import { startRow } from './rows.mjs';

/** Light ones that come by the clock: a small part of what the slowest row can do. */
const perSecond = 100;
const light = { path: '1', body: 'fib: 1\n' };
/** Long enough that only computing counts, short enough for thousands of them. */
const medium = { path: '27', body: 'fib: 196418\n' };
/** How long a request needs to reach its worker, generously: nothing outside can see that it has. */
const underWayMs = 200;

/**
 * @typedef {object} Pace
 * @property {number} rounds
 * @property {number} warmUp seconds, as are all that follow
 * @property {number} alone
 * @property {number} beside
 * @property {number} clock
 * @property {number} heavy
 */

/** @type {Pace} */
export const fullPace = { rounds: 3, warmUp: 1, alone: 3, beside: 8, clock: 12, heavy: 4 };
/** @type {Pace} */
export const quickPace = { rounds: 1, warmUp: 1, alone: 2, beside: 4, clock: 6, heavy: 2 };

/**
 * @typedef {object} Turn
 * @property {number} alone light requests per second, a connection each
 * @property {number} aloneKept light requests per second on kept connections; NaN where none is kept, as below
 * @property {number} cpuUs CPU time of master and workers for each of `alone`, in microseconds
 * @property {number} beside light requests per second while a heavy one runs, a connection each
 * @property {number} p99 milliseconds, of light ones that come by the clock while a heavy one runs, a connection each
 * @property {number} p99Kept the same on kept connections
 * @property {number} heavySeconds how long the heavy one took, beside those
 * @property {number} heavy requests per second where each is work
 * @property {number} resident bytes, of all workers
 * @property {number} ownBytes the part of it that each worker shares with nobody
 * @property {number} foreign cores that others used meanwhile
 * @property {string} errors empty for a valid turn
 */

/**
 * @param {import('./rows.mjs').Row} row
 * @param {Pace} pace
 * @param {{ n: number, cores: string }} options the heavy request, and the cores that all share
 * @returns {Promise<Turn>}
 */
export async function measure(row, pace, { n, cores }) {
  const server = await startRow(row, cores);
  const errors = [];
  const at = (path) => ({ ...server, url: server.url + path });
  const run = async (path, load, seconds) => {
    const result = await runWrk(at(path), { ...load, cores }, seconds);
    if (result.errors !== '') errors.push(result.errors);
    return result;
  };
  const asked = { ...light, url: server.url + light.path };
  const byTheClock = async (optionsOf) => {
    const result = await arrive(asked, { perSecond, seconds: pace.clock }, optionsOf);
    errors.push(...result.errors);
    return result.p99;
  };
  const close = { connections: 32, script: 'close' };
  try {
    for (const { path, body } of [light, medium]) await ask({ url: server.url + path, body });
    await run(light.path, close, pace.warmUp);
    const others = startCounting(server.pid);

    const alone = await run(light.path, close, pace.alone);
    const aloneKept = row.keepsAlive ? (await run(light.path, { connections: 32 }, pace.alone)).rate : Number.NaN;

    const kept = row.keepsAlive ? await openKept(asked, perSecond) : undefined;
    const heavy = await startHeavy({ url: `${server.url}${n}`, body: `fib: ${fib(n)}\n` });
    const beside = await run(light.path, close, pace.beside);
    const p99 = await byTheClock();
    const p99Kept = kept === undefined ? Number.NaN : await byTheClock(kept.optionsOf);
    const heavySeconds = await heavy.stop();
    kept?.close();

    const saturated = await run(medium.path, { connections: 8, script: 'close' }, pace.heavy);
    const [, ...workers] = processTree(server.pid);
    const sum = (bytesOf) => workers.reduce((total, pid) => total + bytesOf(pid), 0);
    return {
      ...{ alone: alone.rate, aloneKept, cpuUs: alone.cpuUs, beside: beside.rate, p99, p99Kept, heavySeconds },
      ...{ heavy: saturated.rate, resident: sum(residentBytes), ownBytes: sum(privateBytes), foreign: others() },
      errors: errors.join('; '),
    };
  } finally {
    await server.stop();
  }
}

function fib(n) {
  let [now, next] = [0, 1];
  for (let step = 0; step < n; step++) [now, next] = [next, now + next];
  return now;
}

/** One heavy request at any time: the next is sent when the last is answered, on a connection of its own. */
async function startHeavy(heavy) {
  let isOver = false;
  let count = 0;
  const startedAt = performance.now();
  const done = (async () => {
    while (!isOver) {
      await ask(heavy, { timeout: 120_000 });
      count++;
    }
  })();
  // Thrown where it is stopped.
  done.catch(() => {});
  await sleep(underWayMs);
  return {
    /** @returns {Promise<number>} how long each took, in seconds */
    async stop() {
      isOver = true;
      await done;
      return (performance.now() - startedAt) / 1000 / count;
    },
  };
}

/** From now on: how many cores others use than the server, the load and this process. */
function startCounting(pid) {
  const busy = () => cpus().reduce((sum, _, core) => sum + coreBusyMs(core), 0);
  const own = () => {
    const { user, system } = process.cpuUsage();
    return cpuMs(pid) + endedChildrenCpuMs() + (user + system) / 1000;
  };
  const before = { at: performance.now(), busy: busy(), own: own() };
  return () => Math.max(0, busy() - before.busy - (own() - before.own)) / (performance.now() - before.at);
}
