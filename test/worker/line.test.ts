import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Line } from '../../src/worker/line.ts';
import { oldBytesOf } from '../old-space.ts';

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
    const line = new Line<number[]>();
    const grown = oldBytesOf(() => {
      for (let count = 0; count < 24; count++) line.add(new Array<number>(100).fill(count));
      while (line.size > 0) line.delete(line.at(0));
    });
    expect(grown).toBeLessThan(2_000_000);
  });
});
