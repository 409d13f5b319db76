/**
 * Requests that come by the clock, whatever became of those before: as users come. A client that waits for its answer
 * before it asks again would ask once where a hundred users wait, and its percentiles would hide them.
 */

import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOnce } from '../lib/servers.mjs';

/** A kept client's next request is this much later, in seconds: more than any heavy request takes, or they would pile up. */
const keptEverySeconds = 6;

/** @typedef {{ url: string, body: string }} Light what is asked, and what each answer must be */

/**
 * Clients with a connection each, opened before anything heavy runs: where it goes must not depend on who is busy.
 * @param {Light} light
 * @param {number} perSecond of all of them together
 */
export async function openKept(light, perSecond) {
  const agents = Array.from(
    { length: perSecond * keptEverySeconds },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  );
  for (let start = 0; start < agents.length; start += perSecond)
    await Promise.all(agents.slice(start, start + perSecond).map((agent) => ask(light, { agent })));
  return {
    /** @param {number} index of the request */
    optionsOf: (index) => ({ agent: agents[index % agents.length] }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

/**
 * @param {Light} light
 * @param {{ perSecond: number, seconds: number }} pace
 * @param {(index: number) => object} optionsOf the connection that each comes on; without it, one of its own
 * @returns {Promise<{ p50: number, p99: number, errors: string[] }>} milliseconds from when each was due to its last byte
 */
export async function arrive(light, { perSecond, seconds }, optionsOf = () => ({})) {
  /** @type {Set<string>} */
  const errors = new Set();
  const startedAt = performance.now();
  /** @type {Promise<number>[]} */
  const asked = [];
  for (let index = 0; index < perSecond * seconds; index++) {
    const dueAt = startedAt + (index * 1000) / perSecond;
    if (dueAt > performance.now()) await sleep(dueAt - performance.now());
    const answered = ask(light, optionsOf(index)).catch((error) => void errors.add(String(error)));
    asked.push(answered.then(() => performance.now() - dueAt));
  }
  const times = (await Promise.all(asked)).toSorted((a, b) => a - b);
  const at = (part) => times[Math.floor((times.length - 1) * part)];
  return { p50: at(0.5), p99: at(0.99), errors: [...errors] };
}

/**
 * One request; throws when the answer is another.
 * @param {Light} light
 */
export async function ask({ url, body: expected }, options = {}) {
  const { status, body } = await fetchOnce(url, options);
  if (status !== 200 || body.toString() !== expected) throw new Error(`${url} answered ${status} ${body}`);
}
