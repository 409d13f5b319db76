/** Requests that come at their rate, whether or not earlier ones are answered; each on a connection of its own. */

import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client gives up. */
const patienceMs = 20_000;

/**
 * @typedef {object} Result
 * @property {number} status 0 where no whole answer came
 * @property {string} fault what happened in its place: the code of an error, or `timeout`; empty otherwise
 * @property {number} length of the body
 * @property {number} sentAt by `performance.now()`
 * @property {number} ms
 * @property {import('node:http').IncomingHttpHeaders} headers
 */

/** @param {boolean} [isSecure] over TLS, whatever the certificate @returns {Promise<Result>} */
export function ask(port, path = '/', isSecure = false) {
  const sentAt = performance.now();
  return new Promise((resolve) => {
    let length = 0;
    const end = (status, headers = {}, fault = '') =>
      resolve({ status, headers, fault, length, sentAt, ms: performance.now() - sentAt });
    const fail = (error) => end(0, {}, error.code ?? error.message);
    const options = { port, path, host: '127.0.0.1', agent: false, timeout: patienceMs, rejectUnauthorized: false };
    const request = (isSecure ? getSecurely : get)(options, (response) => {
      response
        .on('data', (bytes) => (length += bytes.length))
        .on('end', () => end(response.statusCode, response.headers))
        .on('error', fail);
    });
    request.on('error', fail).on('timeout', () => request.destroy(new Error('timeout')));
  });
}

/**
 * Begins at once.
 * @param {number} rate requests per second
 */
export function offer(port, rate, path = '/', isSecure = false) {
  /** @type {Result[]} */
  const results = [];
  let isOver = false;
  const done = (async () => {
    const startedAt = performance.now();
    const running = [];
    for (let count = 1; !isOver; count++) {
      running.push(ask(port, path, isSecure).then((result) => results.push(result)));
      await sleep(Math.max(0, startedAt + (count * 1000) / rate - performance.now()));
    }
    await Promise.all(running);
  })();
  const stop = () => {
    isOver = true;
    return done;
  };
  return { results, stop };
}
