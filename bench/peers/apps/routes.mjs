/**
 * What each peer's app answers, so that all do the same work: `/` and any other path 14 bytes, `/json` a list that is made anew, `/10k` 10 KB,
 * `/upload` the length of the body, `/release/…` which release answers. `/wait` answers after a second, `/hang` never returns, `/abort` ends
 * the process as a bug in native code would. A release named `broken` cannot be loaded.
 */

import { readFileSync } from 'node:fs';

export const release = readFileSync(process.env.RELEASE_FILE, 'utf8').trim();
if (release === 'broken') throw new Error('this release is broken');

export const waitMs = 1000;
export const hello = 'Hello, world!\n';
export const tenK = Buffer.alloc(10 * 1024, 'x');

export function list() {
  const items = [];
  for (let id = 1; id <= 20; id++) {
    const price = id * 101;
    const quantity = (id % 5) + 1;
    items.push({ id, name: `Item ${id}`, price, quantity, total: price * quantity, active: id % 2 === 0 });
  }
  return { items };
}

export const releaseText = (path) => `${release} ${path}\n`;

export function spinForever() {
  for (;;);
}

export async function lengthOf(body) {
  let length = 0;
  for await (const bytes of body) length += bytes.length;
  return `${length}\n`;
}
