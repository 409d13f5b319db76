import { getHeapSpaceStatistics } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Line } from '../../src/worker/line.ts';

describe('a line', () => {
  test('holds what an array would hold, in its order', () => {
    const step = fc.tuple(fc.constantFrom('add', 'addFirst', 'delete', 'take'), fc.nat(99));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const line = new Line<object>();
        const array: object[] = [];
        for (const [what, index] of steps) {
          const member = what === 'delete' ? (array[index % array.length] ?? {}) : {};
          if (what === 'add') array.push(member);
          if (what === 'addFirst') array.unshift(member);
          expect(line.has(member)).toBe(what === 'delete' && array.includes(member));
          if (what === 'delete') expect(line.delete(member)).toBe(array.includes(member));
          else if (what === 'take') expect(index < 90 ? [] : line.take()).toEqual(index < 90 ? [] : array.splice(0));
          else line[what as 'add' | 'addFirst'](member);
          if (what === 'delete' && array.includes(member)) array.splice(array.indexOf(member), 1);
          expect([...line]).toEqual(array);
          expect(line.size).toBe(array.length);
          for (const [at, each] of array.entries()) expect(line.at(at)).toBe(each);
        }
      }),
    );
  });

  test('keeps nobody in memory who has left', () => {
    const oldBytes = () =>
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
    const line = new Line<number[]>();
    const comeAndGo = () => {
      for (let count = 0; count < 24; count++) line.add(new Array<number>(100).fill(count));
      while (line.size > 0) line.delete(line.at(0));
    };
    // What is there while nobody comes or goes becomes old.
    let latest: unknown;
    for (let count = 0; count < 20_000; count++) latest = new Array<number>(1000).fill(count);
    expect(latest).toBeDefined();
    const before = oldBytes();
    for (let count = 0; count < 1000; count++) comeAndGo();
    expect(oldBytes() - before).toBeLessThan(2_000_000);
  });
});
