import { expect, it } from 'vitest';
import { Samplers } from '../../../src/master/children/samplers.ts';
import type { Child } from '../../../src/master/pool.ts';

type Candidate = Pick<Child, 'generation' | 'state' | 'recycleReason'>;

function spawn(generation = 1): { -readonly [Name in keyof Candidate]: Candidate[Name] } {
  return { generation, state: 'ready', recycleReason: undefined };
}

it('of each generation one worker samples what it allocates, and speaks for the others', () => {
  const samplers = new Samplers<Candidate>();
  const [first, second, newer] = [spawn(), spawn(), spawn(2)];
  expect([first, second, newer].map((child) => samplers.choose(child))).toEqual([true, false, true]);
  expect(samplers.of(second)).toBe(first);
  expect(samplers.of(newer)).toBe(newer);
});

it('when that one is recycled, its replacement samples, and each speaks for itself', () => {
  const samplers = new Samplers<Candidate>();
  const [first, second, third] = [spawn(), spawn(), spawn()];
  samplers.choose(first);
  first.recycleReason = 'max_memory';
  expect(samplers.choose(second)).toBe(true);
  first.state = 'retiring';
  expect(samplers.choose(third)).toBe(false);
  expect([samplers.of(first), samplers.of(second), samplers.of(third)]).toEqual([first, second, first]);
  samplers.forget(first);
  expect(samplers.of(third)).toBe(second);
});

it('when that one has gone, the next worker samples', () => {
  const samplers = new Samplers<Candidate>();
  const first = spawn();
  samplers.choose(first);
  samplers.forget(first);
  expect(samplers.of(first)).toBeUndefined();
  expect(samplers.choose(spawn())).toBe(true);
});
