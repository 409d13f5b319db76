import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerRing, maxTextBytes, Watch } from '../../../src/worker/threads/answer-ring.ts';

type Answer = [id: number, flags: number, text: string, headLength: number, sentBytes: number, cpuMicros: number];

/** The two ends of one ring, as the thread and the main thread have them. */
function pair(startAt = 0) {
  const writer = new AnswerRing();
  // How far both are, in bytes since the beginning: a ring that has been in use for long is somewhere, not at its start.
  new Int32Array(writer.memory, 0, 2).fill(startAt);
  const reader = new AnswerRing(writer.memory);
  const drain = () => {
    const taken: Answer[] = [];
    reader.drain((id, flags, { text, headLength, sentBytes, cpuMicros }) =>
      taken.push([id, flags, text, headLength, sentBytes, cpuMicros]),
    );
    return taken;
  };
  const write = (id: number, flags: number, text: string, headLength = 0, sentBytes = 0, cpuMicros = -1) =>
    writer.write(id, flags, { text, headLength, sentBytes, cpuMicros });
  return { write, drain };
}

describe('a ring of answers', () => {
  it('gives each answer once, in order, byte for byte', () => {
    const { write, drain } = pair();
    expect(write(1, 8, 'a')).toBe(true);
    expect(write(-2, 24, 'HTTP/1.1 200 OK\r\n\r\n\xff\x00', 19, 2, 1234)).toBe(true);
    expect(drain()).toEqual([
      [1, 8, 'a', 0, 0, -1],
      [-2, 24, 'HTTP/1.1 200 OK\r\n\r\n\xff\x00', 19, 2, 1234],
    ]);
    expect(drain()).toEqual([]);
  });

  it('takes none that is too large for it, nor more than it has room for, until it is read', () => {
    const { write, drain } = pair();
    expect(write(0, 0, 'x'.repeat(maxTextBytes + 1))).toBe(false);
    let count = 0;
    while (write(count, 0, 'x'.repeat(maxTextBytes))) count++;
    expect(count).toBe(15);
    expect(drain()).toHaveLength(15);
    expect(write(0, 0, 'x'.repeat(maxTextBytes))).toBe(true);
  });

  it.each([
    ['at its beginning', 0],
    ['where the next answer reaches the end', 256 * 1024 - 64],
    ['just below 2^31', 2 ** 31 - 64],
    ['just below 2^32', -64],
  ])('loses and mixes nothing, however much is written between two looks: %s', (_name, startAt) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.nat(maxTextBytes).map((size) => 'y'.repeat(size)),
    );
    const step = fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.constant(undefined) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { write, drain } = pair(startAt);
        const written: Answer[] = [];
        const taken: Answer[] = [];
        for (const [id, text] of steps.entries())
          if (text === undefined) taken.push(...drain());
          else if (write(id, id % 64, text, id, text.length)) written.push([id, id % 64, text, id, text.length, -1]);
        taken.push(...drain());
        expect(taken).toEqual(written);
      }),
      { numRuns: 60 },
    );
  });
});

it('a thread wakes the main thread only where that does not look by itself, and only once', () => {
  const main = new Watch();
  const thread = new Watch(main.memory);
  expect([thread.mustWake(), thread.mustWake()]).toEqual([true, false]);
  main.begin();
  expect(thread.mustWake()).toBe(false);
  main.end();
  expect(thread.mustWake()).toBe(true);
});
