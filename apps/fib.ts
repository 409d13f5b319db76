/**
 * Fibonacci numbers the slow way: deliberately CPU-bound, to show how each worker class copes.
 * `GET /30` or `/?n=30` answers `fib: 832040`; the export `tcp` answers each line of a raw connection likewise.
 */

import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { App, TcpApp } from 'tsgun';
import { lines } from './lines.ts';

/** Above this, one answer takes minutes. */
const largest = 45;

function fib(n: number): number {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/** A whole number from 0 to `largest`, or an error text. */
function parse(text: string): number | string {
  if (!/^\d+$/.test(text)) return `n must be a whole number from 0 to ${largest}, got ${JSON.stringify(text)}`;
  const n = Number(text);
  return n <= largest ? n : `n must be at most ${largest}, got ${text}`;
}

const app: App = (env, startResponse) => {
  const asked = new URLSearchParams(env.QUERY_STRING).get('n') ?? env.PATH_INFO.slice(1);
  const isAllowed = env.REQUEST_METHOD === 'GET' || env.REQUEST_METHOD === 'HEAD';
  if (!isAllowed) {
    startResponse('405 Method Not Allowed', [
      ['Content-Type', 'text/plain'],
      ['Allow', 'GET, HEAD'],
    ]);
    return [`error: ${env.REQUEST_METHOD} is not allowed here\n`];
  }
  const n = parse(asked);
  if (typeof n === 'string') {
    startResponse('400 Bad Request', [['Content-Type', 'text/plain; charset=utf-8']]);
    return [`error: ${n}; try /30\n`];
  }
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [`fib: ${fib(n)}\n`];
};

/** Room for leading zeros; no number up to `largest` needs more. */
const longestLineBytes = 64;

/** For `nc localhost PORT`: a number on a line in, `fib: 8` out; a bad line is answered too, and the connection goes on. */
export const tcp: TcpApp = async (socket, { signal }) => {
  // Stop between two lines: answers that were written still arrive.
  signal.addEventListener('abort', () => socket.destroySoon());
  // Node destroys a stream that was iterated to its end, for writing too; the last line is yet to be answered.
  const bytes = socket.iterator({ destroyOnReturn: false });
  for await (const line of lines(bytes, longestLineBytes)) {
    const n = line === undefined ? `a line has at most ${longestLineBytes} bytes` : parse(line.trim());
    const answer = typeof n === 'string' ? `error: ${n}\n` : `fib: ${fib(n)}\n`;
    if (!socket.write(answer)) await once(socket, 'drain', { signal });
    // Other connections get their turn, and the loop sees whether this client is still there.
    await setImmediate();
  }
};

export default app;
