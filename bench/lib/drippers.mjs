/** Clients that send a byte of their head each second, and when the server had enough of them. */

import { performance } from 'node:perf_hooks';
import { openMany } from './clients.mjs';

const everyMs = 1000;
const line = 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Drip: ';

/**
 * @param {number} port
 * @param {number} count
 * @returns {Promise<{ cuts: { seconds: number, said: string }[], stop: () => void }>} `cuts` grows: who was cut, after how long, with what answer
 */
export async function startDripping(port, count) {
  /** @type {{ seconds: number, said: string }[]} */
  const cuts = [];
  const sockets = await openMany(port, count, (socket) => watch(socket, cuts));
  let position = 0;
  const timer = setInterval(() => {
    const byte = line[position] ?? 'x';
    position++;
    for (const socket of sockets) if (socket.writable) socket.write(byte);
  }, everyMs);
  const stop = () => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
  return { cuts, stop };
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
