/**
 * What each peer's app answers, so that all do the same work: `/` and any other path 14 bytes, `/json` a list that is made anew, `/10k` 10 KB,
 * `/100k` 100 KB, `/gzip` the list compressed, `/fib/30` that Fibonacci number, naively; `/upload` the length of the body, `/release/…` which release answers, `/download` 16 MB. `/wait` answers after a second, `/cpu` computes for
 * 10 ms, `/leak` keeps half a megabyte for ever, `/log` logs a line; these answer the 14 bytes. `/hang` never returns, `/abort` ends the process
 * as a bug in native code would. A release named `broken` cannot be loaded, one named `faulty` answers `/` with 500.
 */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

export const release = readFileSync(process.env.RELEASE_FILE, 'utf8').trim();
if (release === 'broken') throw new Error('this release is broken');

/** Of `/`. */
export const status = release === 'faulty' ? 500 : 200;
export const waitMs = 1000;
export const hello = 'Hello, world!\n';
export const tenK = Buffer.alloc(10 * 1024, 'x');
export const hundredK = Buffer.alloc(100 * 1024, 'x');
export const large = Buffer.alloc(16 * 1024 ** 2, 'x');

export function list() {
  const items = [];
  for (let id = 1; id <= 20; id++) {
    const price = id * 101;
    const quantity = (id % 5) + 1;
    items.push({ id, name: `Item ${id}`, price, quantity, total: price * quantity, active: id % 2 === 0 });
  }
  return { items };
}

export const compressed = () => gzipSync(JSON.stringify(list()));

const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
/** @param {string} path `/fib/` and a number */
export const fibText = (path) => `${fib(Number(path.slice(5)))}\n`;

export const releaseText = (path) => `${release} ${path}\n`;

export function spinForever() {
  for (;;);
}

const kept = [];

/** What is done before the 14 bytes are answered, by path. */
export const works = {
  '/cpu': () => compute(10),
  '/leak': () => kept.push(Array.from({ length: 65_536 }, (_, index) => index + 0.5)),
  '/log': () => console.log(`a request of release ${release}`),
};

/** CPU time of this thread where it can be asked for; of the process otherwise. */
const cpuUsage = (process.threadCpuUsage ?? process.cpuUsage).bind(process);

function compute(ms) {
  const before = cpuUsage();
  for (;;) {
    const { user, system } = cpuUsage(before);
    if (user + system >= ms * 1000) return;
  }
}

export async function lengthOf(body) {
  let length = 0;
  for await (const bytes of body) length += bytes.length;
  return `${length}\n`;
}
