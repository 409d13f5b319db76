/** Clients that take their time over a long answer. */

import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const tickMs = 100;

/**
 * Reads so many bytes a second, on a connection of its own.
 * @param {number} port
 * @param {{ path: string, bytes: number, bytesPerSecond: number, patienceMs: number }} wish
 * @returns {Promise<string>} empty if the whole of it came with 200; otherwise what happened
 */
export function download(port, { path, bytes, bytesPerSecond, patienceMs }) {
  return new Promise((resolve) => {
    const request = get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      let length = 0;
      response.on('error', fail);
      void (async () => {
        const piece = (bytesPerSecond * tickMs) / 1000;
        for await (const part of response) {
          length += part.length;
          await sleep((part.length / piece) * tickMs);
        }
        if (response.statusCode !== 200) end(String(response.statusCode));
        else end(length === bytes ? '' : 'wrong length');
      })().catch(fail);
    });
    const timer = setTimeout(() => request.destroy(new Error('timeout')), patienceMs);
    const end = (fault) => {
      clearTimeout(timer);
      resolve(fault);
    };
    const fail = (error) => end(error.code ?? error.message);
    request.on('error', fail);
  });
}
