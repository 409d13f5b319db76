/** Pieces of a body that wait: nothing of them is lost, and small ones do not take a multiple of their memory. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pieces } from '../../src/http/pieces.ts';

test('are the same bytes in the same order, whatever their sizes, and however often they are taken', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1900, max: 9000 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 3 }), (rounds) => {
      const pieces = new Pieces();
      let next = 0;
      for (const round of rounds) {
        const added = round.map((size) => Buffer.from(Uint8Array.from({ length: size }, () => next++ % 251)));
        const whole = Buffer.concat(added);
        for (const bytes of added) pieces.add(bytes);
        expect(pieces.byteCount).toBe(whole.length);
        const taken = pieces.take();
        expect(Buffer.concat(taken).equals(whole)).toBe(true);
        expect(pieces.byteCount).toBe(0);
      }
    }),
  );
});

test('that are taken do not change when more come', () => {
  const pieces = new Pieces();
  for (const letter of 'abc') pieces.add(Buffer.from(letter));
  const taken = pieces.take();
  for (const letter of 'def') pieces.add(Buffer.from(letter));
  expect(String(Buffer.concat(taken))).toBe('abc');
});

test('of one byte each are put together', () => {
  const pieces = new Pieces();
  for (let count = 0; count < 100_000; count++) pieces.add(Buffer.from('x'));
  const taken = pieces.take();
  expect(taken.length).toBeLessThan(30);
  // Nor does any of them keep a larger buffer alive.
  expect(taken.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).toBeLessThan(110_000);
});

test('that are large, and a single small one, are not copied', () => {
  const large = Buffer.alloc(10_000);
  const small = Buffer.alloc(10);
  const pieces = new Pieces();
  pieces.add(large);
  pieces.add(small);
  expect(pieces.take().map(({ buffer }) => buffer)).toEqual([large.buffer, small.buffer]);
});
