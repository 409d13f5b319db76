/**
 * CPU work handed to a pool of threads, so that the event loop of an async worker stays free: `GET /?n=7,8,9`, or a POST
 * of such a list, is answered with a line for each number, in order and as soon as it is known: `7: prime`, `8: not prime`.
 *
 * A pool has a thread per CPU, and each worker has one of its own: one worker is enough. When the client leaves or the
 * request's deadline passes, what is left of its list is given up, even in the middle of a number. A worker that drains
 * answers what it has begun; its idle threads end with it.
 */

import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import type { App, Environ } from 'tsgun';
import { readBody } from './read-body.ts';

const mostNumbers = 1000;
/** A list of the longest numbers would reach the limit of numbers at about this size. */
const bodyLimitBytes = 32 * 1024;
/** Trial divisions in a task: some milliseconds, against which what it costs to hand over is little. */
const batchDivisions = 300_000;

const threads = availableParallelism();
let pool: Tinypool | undefined;

/** Started by the first request, so that workers boot fast, and those that never serve have no threads. */
function startedPool(): Tinypool {
  // As many at least as at most: Tinypool replaces a thread that was ended with its task only up to the least number, and
  // with fewer, tasks that wait would wait for ever.
  pool ??= new Tinypool({
    filename: new URL('primes/is-prime.mjs', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
  });
  return pool;
}

/** Ends the threads, for a program that embeds this app; the next request would start new ones. */
export async function closePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.destroy();
}

const app: App = async (env, startResponse) => {
  const refuse = (status: string, reason: string) => {
    startResponse(status, [['Content-Type', 'text/plain; charset=utf-8']]);
    return [`error: ${reason}\n`];
  };
  if (env.REQUEST_METHOD !== 'GET' && env.REQUEST_METHOD !== 'HEAD' && env.REQUEST_METHOD !== 'POST') {
    startResponse('405 Method Not Allowed', [
      ['Content-Type', 'text/plain'],
      ['Allow', 'GET, HEAD, POST'],
    ]);
    return [`error: ${env.REQUEST_METHOD} is not allowed here\n`];
  }
  const list = await readList(env);
  if (list === undefined) return refuse('413 Content Too Large', `a list has at most ${bodyLimitBytes} bytes`);
  const numbers = parse(list);
  if (typeof numbers === 'string') return refuse('400 Bad Request', `${numbers}; try /?n=7,8,9`);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return env.REQUEST_METHOD === 'HEAD' ? [] : answers(numbers, env['tsgun.signal']);
};

export default app;

/** @returns undefined for a list that is too long */
async function readList(env: Environ): Promise<string | undefined> {
  if (env.REQUEST_METHOD !== 'POST') return new URLSearchParams(env.QUERY_STRING).getAll('n').join(',');
  return (await readBody(env, bodyLimitBytes))?.toString();
}

/** Numbers with commas or white space between them, or an error text. */
function parse(list: string): number[] | string {
  const texts = list.trim().split(/\s*,\s*|\s+/);
  if (texts.length > mostNumbers) return `at most ${mostNumbers} numbers at once, got ${texts.length}`;
  const wrong = texts.find((text) => !/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)));
  if (wrong === undefined) return texts.map(Number);
  const shown = JSON.stringify(wrong.length > 40 ? `${wrong.slice(0, 40)}…` : wrong);
  return `n must be whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}, got ${shown}`;
}

/** A batch: consecutive numbers that together are about as much work as other batches. */
function batches(numbers: readonly number[]): number[][] {
  const made: number[][] = [];
  let divisions = Number.POSITIVE_INFINITY;
  for (const number of numbers) {
    if (divisions >= batchDivisions) {
      made.push([]);
      divisions = 0;
    }
    made.at(-1)!.push(number);
    // Two of each six are tried, up to the square root.
    divisions += Math.sqrt(number) / 3;
  }
  return made;
}

/**
 * The lines, a batch at a time. No more batches are in the pool than it has threads: with the whole of a long list in
 * there, a short one that comes later would wait for all of it.
 */
async function* answers(numbers: readonly number[], signal: AbortSignal): AsyncGenerator<string> {
  // Each batch listens to it; from the eleventh on, Node would warn of a leak.
  setMaxListeners(threads, signal);
  const waiting = batches(numbers);
  const running: { batch: readonly number[]; result: Promise<boolean[]> }[] = [];
  for (;;) {
    while (running.length < threads && waiting.length > 0) {
      const batch = waiting.shift()!;
      const result: Promise<boolean[]> = startedPool().run(batch, { signal });
      // One may be given up while another is awaited.
      result.catch(() => {});
      running.push({ batch, result });
    }
    const next = running.shift();
    if (next === undefined) return;
    try {
      const arePrime = await next.result;
      yield next.batch.map((number, index) => `${number}: ${arePrime[index] ? 'prime' : 'not prime'}\n`).join('');
    } catch (error) {
      if (!signal.aborted) throw error;
      // Only a client that half-closed reads this: its FIN looks as if it had left.
      yield 'error: the rest was given up\n';
      return;
    }
  }
}
