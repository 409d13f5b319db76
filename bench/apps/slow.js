/** What slow clients need: a body is read to its end, and `/large` is more than a kernel holds for a connection. */

import { setImmediate as turn } from 'node:timers/promises';

const headers = [['Content-Type', 'text/plain']];
const pieceBytes = 64 * 1024;
const piecesOfLarge = 256;

/** @type {import('tsgun').App} */
export default async function slow(env, startResponse) {
  for await (const _ of env['wsgi.input']);
  startResponse('200 OK', headers);
  return env.PATH_INFO === '/large' ? large() : ['Hello, world!\n'];
}

async function* large() {
  // A buffer of its own for each: what a slow reader makes the worker hold must show.
  for (let count = 0; count < piecesOfLarge; count++) {
    await turn();
    yield Buffer.alloc(pieceBytes, 'x');
  }
}
