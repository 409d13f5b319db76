/** What scenarios of bad days share: two workers, requests that come at their rate whether or not earlier ones are answered, and what became of them. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ask, offer } from './arrivals.mjs';
import { hello } from './expected.mjs';
import { allWorkers, startPeer } from './peer-server.mjs';
import { milliseconds } from './report.mjs';
import { quantile } from './statistics.mjs';

export const workers = 2;
/** Requests per second, each on a connection of its own: much less than any peer can serve. */
export const rate = 100;
/** A deploy that serves its new release so often in a row, on new connections, is over. */
const inARow = 10;

export const seconds = (value) => `${value.toFixed(value < 10 ? 1 : 0)} s`;
export const count = (value) => Math.round(value).toLocaleString('en');

/** @type {import('../scenarios/index.mjs').Column[]} */
export const badDayColumns = [
  { of: 'requests', head: 'requests', show: count },
  { of: 'failed', head: 'failed', show: count, spread: true },
  { of: 'failures', head: 'how' },
  { of: 'p99', head: 'p99 of the answered', show: milliseconds },
  { of: 'silence', head: 'longest time without an answer', show: seconds },
];

/**
 * @param {import('./peer-server.mjs').Peer} peer
 * @param {(server: import('./peer-server.mjs').PeerServer) => Promise<Record<string, unknown>>} happen
 * @param {import('./peer-server.mjs').Means} [means]
 */
export async function onABadDay(peer, happen, means = {}) {
  const server = await startPeer(peer, workers, { isBadDay: true, ...means });
  try {
    await allWorkers(server);
    return await happen(server);
  } finally {
    await server.stop();
  }
}

/**
 * Offers requests while something happens.
 * @param {import('./peer-server.mjs').PeerServer} server
 * @param {(results: import('./arrivals.mjs').Result[]) => Promise<Record<string, unknown>>} happen whose figures join those of the requests
 */
export async function underLoad(server, happen, path = '/') {
  const load = offer(server.port, rate, path, server.place.certificate !== undefined);
  let figures;
  try {
    figures = await happen(load.results);
  } finally {
    await load.stop();
  }
  return { ...figuresOf(load.results), ...(typeof figures === 'function' ? figures(load.results) : figures) };
}

export const isGood = ({ status, length }) => status === 200 && length === hello.length;

/** @param {readonly import('./arrivals.mjs').Result[]} results */
export function figuresOf(results) {
  const good = results.filter(isGood);
  const failed = results.filter((result) => !isGood(result));
  const waits = good.map(({ ms }) => ms);
  return {
    requests: results.length,
    failed: failed.length,
    failures: kindsOf(failed),
    p99: quantile(waits, 0.99),
    silence: longestSilence(results) / 1000,
  };
}

const names = { ECONNREFUSED: 'refused', ECONNRESET: 'reset', EPIPE: 'reset', timeout: 'no answer within 20 s' };

/** "12 × refused, 3 × reset", the most frequent first. */
export function kindsOf(failed) {
  const kinds = new Map();
  for (const { status, fault } of failed) {
    const kind = status === 0 ? (names[fault] ?? fault) : status === 200 ? 'wrong length' : String(status);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds]
    .sort(([, one], [, other]) => other - one)
    .map(([kind, times]) => `${times} × ${kind}`)
    .join(', ');
}

/** Between two right answers, in milliseconds: so long did nobody serve. */
export function longestSilence(results) {
  if (results.length === 0) return 0;
  const from = Math.min(...results.map(({ sentAt }) => sentAt));
  const until = Math.max(...results.map(({ sentAt }) => sentAt));
  const answers = results.filter(isGood).map(({ sentAt, ms }) => sentAt + ms);
  const times = [from, ...answers.filter((at) => at < until).sort((one, other) => one - other), until];
  return Math.max(0, ...times.slice(1).map((at, index) => at - times[index]));
}

/** Until all that connect anew get this release. @returns {Promise<boolean>} whether that came true in time */
export async function served(server, release, patienceMs = 60_000) {
  const deadline = performance.now() + patienceMs;
  const right = `${release} /release/0\n`.length;
  let times = 0;
  while (times < inARow) {
    if (performance.now() > deadline) return false;
    const isIt = await releaseOf(server.port).then((text) => text.length === right && text.startsWith(`${release} `));
    times = isIt ? times + 1 : 0;
    await sleep(20);
  }
  return true;
}

async function releaseOf(port) {
  const signal = AbortSignal.timeout(2000);
  const headers = { Connection: 'close' };
  return fetch(`http://127.0.0.1:${port}/release/0`, { signal, headers })
    .then((response) => response.text())
    .catch(() => '');
}

export { ask };
