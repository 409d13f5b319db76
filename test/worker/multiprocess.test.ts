import { expect, it } from 'vitest';
import { isMultiprocess } from '../../src/worker/multiprocess.ts';

it.each([
  [1, 0, false],
  [2, 0, true],
  [1, 1, false],
  [1, 4, true],
  [0, 1, false],
])('%i workers, at most %i: several processes serve the app is %s', (workers, maxWorkers, expected) => {
  expect(isMultiprocess({ workers, maxWorkers })).toBe(expected);
});
