/** One exact request on a raw socket, and the exact size of its answer: what the bytes that a load generator counts are held against. */

import { once } from 'node:events';
import { connect } from 'node:net';

const patienceMs = 30_000;

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {string} path
 * @property {Record<string, string>} [headers]
 * @property {number} [bodyBytes] that many x
 */

/** @param {Request} request */
export function textOf({ method = 'GET', path, headers = {}, bodyBytes = 0 }, port) {
  const fields = { Host: `127.0.0.1:${port}`, ...headers };
  if (bodyBytes > 0) fields['Content-Length'] = String(bodyBytes);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${'x'.repeat(bodyBytes)}`;
}

/**
 * @param {number} port
 * @param {Request} request
 * @returns {Promise<{ status: number, bytes: number, body: string }>}
 */
export async function askRaw(port, request) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(patienceMs, () => socket.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
  socket.setEncoding('latin1');
  let text = '';
  try {
    await once(socket, 'connect');
    socket.write(textOf(request, port));
    for await (const piece of socket) {
      text += piece;
      const answer = wholeAnswer(text);
      if (answer !== undefined) return answer;
    }
    throw new Error(`the connection ended in the answer ${JSON.stringify(text.slice(0, 200))}`);
  } finally {
    socket.destroy();
  }
}

/** @param {string} text so far @returns undefined while bytes are missing */
export function wholeAnswer(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${head}`);
  const bytes = end + 4 + Number(length);
  if (text.length < bytes) return undefined;
  return { status: Number(head.slice(9, 12)), bytes, body: text.slice(end + 4, bytes) };
}
