import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scoreboard } from '../../src/ipc/scoreboard.ts';
import { isAhead } from '../../src/worker/accept/intake.ts';
import { onTestFinished } from '../current.ts';

function scoreboards(count: number): Scoreboard[] {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
  const fd = openSync(join(folder, 'board'), 'wx+');
  onTestFinished(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return Array.from({ length: count }, (_, index) => new Scoreboard({ fd, index }));
}

it('a worker sees the fewest connections of the others, and not its own', () => {
  const [one, two, three] = scoreboards(3);
  one!.write({ connections: 1, isTaking: true, hasRoom: true }, 1000);
  two!.write({ connections: 7, isTaking: true, hasRoom: true }, 1000);
  three!.write({ connections: 5, isTaking: true, hasRoom: true }, 1000);
  expect(one!.fewest(1010, 200)).toBe(5);
  expect(two!.fewest(1010, 200)).toBe(1);
});

it('a worker that takes none, or has been silent, is not waited for', () => {
  const [one, two, three] = scoreboards(3);
  two!.write({ connections: 1, isTaking: false, hasRoom: false }, 1000);
  three!.write({ connections: 2, isTaking: true, hasRoom: true }, 700);
  expect(one!.fewest(1000, 200)).toBe(Number.POSITIVE_INFINITY);
  two!.write({ connections: 3, isTaking: true, hasRoom: true }, 1000);
  expect(one!.fewest(1000, 200)).toBe(3);
});

it('a worker that has room is known, also while it lags, and where it has not been scheduled for a while', () => {
  const [one, two, three] = scoreboards(3);
  two!.write({ connections: 1, isTaking: false, hasRoom: false }, 1000);
  expect(one!.hasRoom(1000, 2000)).toBe(false);
  three!.write({ connections: 2, isTaking: false, hasRoom: true }, 1000);
  expect(one!.hasRoom(2500, 2000)).toBe(true);
  expect(one!.hasRoom(3500, 2000)).toBe(false);
  expect(three!.hasRoom(1000, 2000)).toBe(false);
  expect(one!.fewest(1000, 200)).toBe(Number.POSITIVE_INFINITY);
});

it('the least loaded is never ahead, so that somebody always takes', () => {
  for (let fewest = 0; fewest < 2000; fewest++) expect(isAhead(fewest, fewest)).toBe(false);
  expect(isAhead(21, 16)).toBe(true);
  expect(isAhead(1_000_000, Number.POSITIVE_INFINITY)).toBe(false);
});
