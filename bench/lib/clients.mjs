/** Clients that wrk cannot play: ones that do nothing, slowly, or that leave in the middle. Run in a process of their own. */

import { once } from 'node:events';
import { connect } from 'node:net';

const batch = 200;

/**
 * Opens connections, a batch at a time so that the server's queue is never full.
 * @param {number} port
 * @param {number} count
 * @param {(socket: import('node:net').Socket) => void} onConnect
 * @returns {Promise<import('node:net').Socket[]>}
 */
export async function openMany(port, count, onConnect = () => {}) {
  const sockets = [];
  while (sockets.length < count) {
    const opening = Array.from({ length: Math.min(batch, count - sockets.length) }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      socket.on('error', () => {});
      onConnect(socket);
      return socket;
    });
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

/**
 * One request and its answer on a connection that stays open.
 * @param {import('node:net').Socket} socket
 */
export async function requestOnce(socket) {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [bytes] = await once(socket, 'data');
  if (!bytes.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(`not served: ${bytes}`);
}

const patienceMs = 10_000;

/**
 * The same where the server may also refuse: whether a 200 came.
 * @param {import('node:net').Socket} socket
 * @returns {Promise<boolean>}
 */
export function wasAnswered(socket) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    const end = (isAnswered) => {
      clearTimeout(timer);
      resolve(isAnswered);
    };
    socket.once('data', (bytes) => end(bytes.toString('latin1').startsWith('HTTP/1.1 200 ')));
    socket.once('close', () => end(false));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });
}
