/** What stays in memory of objects that come and go. */

import { getHeapSpaceStatistics } from 'node:v8';
import { expect } from 'vitest';

const oldBytes = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;

/** @returns by how many bytes V8's old space has grown after a thousand times */
export function oldBytesOf(comeAndGo: () => void): number {
  // What is there while nothing comes or goes becomes old.
  let latest: unknown;
  for (let count = 0; count < 20_000; count++) latest = new Array<number>(1000).fill(count);
  expect(latest).toBeDefined();
  const before = oldBytes();
  for (let count = 0; count < 1000; count++) comeAndGo();
  return oldBytes() - before;
}
