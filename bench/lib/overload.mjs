/** More requests than can be served: half of the capacity, twice as many, and half again. They come at their rate, whether or not earlier ones are answered. */

import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from './statistics.mjs';

/** A client gives up. */
const patienceMs = 20_000;
/** Late is what takes so many times the 99th percentile of the calm before. */
export const lateFactor = 3;

/**
 * @typedef {[name: 'half' | 'twice' | 'after', rate: number, seconds: number]} Phase
 * @typedef {{ phase: string, status: number, sentAt: number, ms: number }} Result `status` 0: no answer, or one of a wrong length
 */

/**
 * @param {number} port
 * @param {string} path
 * @param {readonly Phase[]} phases
 * @param {number} right length of the right answer
 * @returns {Promise<Result[]>}
 */
export async function offerPhases(port, path, phases, right) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const results = [];
  const open = new Set();
  const startedAt = performance.now();
  const ask = (phase) => {
    const sentAt = performance.now();
    const done = new Promise((resolve) => {
      const end = (status) => resolve({ phase, status, sentAt: sentAt - startedAt, ms: performance.now() - sentAt });
      const request = get({ port, path, agent, host: '127.0.0.1', timeout: patienceMs }, (response) => {
        let length = 0;
        response
          .on('data', (bytes) => (length += bytes.length))
          .on('end', () => end(response.statusCode === 200 && length !== right ? 0 : response.statusCode))
          .on('error', () => end(0));
      });
      request.on('error', () => end(0)).on('timeout', () => request.destroy(new Error('too late')));
    });
    open.add(done);
    void done.then((result) => {
      results.push(result);
      open.delete(done);
    });
  };
  for (const [phase, rate, seconds] of phases) {
    const from = performance.now();
    for (let count = 0; performance.now() < from + seconds * 1000; await sleep(1))
      for (const due = ((performance.now() - from) / 1000) * rate; count < due; count++) ask(phase);
  }
  await Promise.all(open);
  agent.destroy();
  return results;
}

/**
 * @param {readonly Result[]} results
 * @param {readonly Phase[]} phases
 * @returns `goodput`: right answers per second of the overload; `recovery`: seconds after it until none is late
 */
export function figuresOf(results, phases) {
  const of = (phase, status) => results.filter((each) => each.phase === phase && each.status === status);
  const at = (each, share) =>
    quantile(
      each.map(({ ms }) => ms),
      share,
    );
  const [[, , calmSeconds], [, , seconds]] = phases;
  const [from, to] = [calmSeconds * 1000, (calmSeconds + seconds) * 1000];
  // Whenever their request came: what was answered in this time.
  const answered = results.filter(
    ({ status, sentAt, ms }) => status === 200 && sentAt + ms >= from && sentAt + ms < to,
  );
  const heavy = of('twice', 200);
  const calmP99 = at(of('half', 200), 0.99);
  const late = results.filter(
    ({ phase, status, ms }) => phase === 'after' && (status !== 200 || ms > lateFactor * calmP99),
  );
  const recovery = late.length === 0 ? 0 : (Math.max(...late.map(({ sentAt }) => sentAt)) - to) / 1000;
  const failed = results.filter(({ status }) => status !== 200 && status !== 503).length;
  return {
    ...{ calmP99, goodput: answered.length / seconds, p50: at(heavy, 0.5), p99: at(heavy, 0.99) },
    ...{ refused: of('twice', 503).length, failed, recovery },
  };
}
