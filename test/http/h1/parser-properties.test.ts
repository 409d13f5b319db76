/** What holds for every request, cut and broken in every way. A failure prints the seed and the smallest case of it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits, type Limits } from '../../../src/http/limits.ts';
import { bySize, cutAt } from '../cuts.ts';
import { feed } from '../feed.ts';
import { applyEdits, conversations, edits } from '../messages.ts';

const limits: Limits = { ...defaultLimits, bodyBytes: 10_000 };
const cuts = fc.array(fc.nat(2000), { maxLength: 8 });
const textOf = (conversation: readonly { text: string }[]) => conversation.map(({ text }) => text).join('');
const runs = { numRuns: 2000 };
// Far beyond what it takes; a hang must end somewhere.
const timeout = 120_000;

describe('valid requests', () => {
  test('are read as they were sent, however many share a connection', { timeout }, () => {
    fc.assert(
      fc.property(conversations, (sent) => {
        const { requests, error, state } = feed([Buffer.from(textOf(sent), 'latin1')], limits);
        expect(error).toBeUndefined();
        expect(state).toBe('idle');
        expect(
          requests.map(({ head: { method, target, names, values }, body }) => {
            return { method, target, fields: names.map(({ raw }, index) => [raw, values[index]]), body };
          }),
        ).toEqual(sent.map(({ method, target, fields, body }) => ({ method, target, fields, body })));
      }),
      runs,
    );
  });

  test('are the same however they are cut', { timeout }, () => {
    fc.assert(
      fc.property(conversations, cuts, (sent, cuts) => {
        const bytes = Buffer.from(textOf(sent), 'latin1');
        const whole = feed([bytes], limits);
        expect(feed(cutAt(bytes, cuts), limits)).toEqual(whole);
        expect(feed(bySize(bytes, 1), limits)).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('whose end is missing are not served', { timeout }, () => {
    fc.assert(
      fc.property(conversations, fc.nat(2000), (sent, missing) => {
        const text = textOf(sent);
        const last = sent.at(-1)!.text;
        const short = text.slice(0, text.length - 1 - (missing % (last.length - last.search(/[^\r\n]/) - 1)));
        const { requests, error, state } = feed([Buffer.from(short, 'latin1')], limits);
        expect(error).toBeUndefined();
        expect(state).toMatch(/head|body/);
        expect(requests.filter(({ isComplete }) => isComplete).length).toBe(sent.length - 1);
      }),
      runs,
    );
  });
});

describe('broken requests', () => {
  test('are answered with an error or waited for, and never become more than were sent', { timeout }, () => {
    fc.assert(
      fc.property(conversations, edits, (sent, edits) => {
        // Whatever is not an HttpError comes through `feed`, and fails the test.
        const { requests, error } = feed([Buffer.from(applyEdits(textOf(sent), edits), 'latin1')], limits);
        expect(requests.length).toBeLessThanOrEqual(sent.length);
        if (error !== undefined) expect([400, 413, 414, 417, 431, 501, 505]).toContain(error.status);
      }),
      { numRuns: 10_000 },
    );
  });

  test('are broken in the same way however they are cut', { timeout }, () => {
    fc.assert(
      fc.property(conversations, edits, cuts, (sent, edits, cuts) => {
        const bytes = Buffer.from(applyEdits(textOf(sent), edits), 'latin1');
        const whole = feed([bytes], limits);
        expect(feed(cutAt(bytes, cuts), limits)).toEqual(whole);
        expect(feed(bySize(bytes, 1), limits)).toEqual(whole);
      }),
      runs,
    );
  });

  test('of nothing but random bytes are never served', { timeout }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (noise, cuts) => {
        const whole = feed([Buffer.from(noise)], limits);
        expect(whole.requests).toEqual([]);
        expect(feed(cutAt(Buffer.from(noise), cuts), limits)).toEqual(whole);
      }),
      runs,
    );
  });

  test('under tight limits are still the same however they are cut', { timeout }, () => {
    const tight: Limits = { requestLineBytes: 24, fieldCount: 4, fieldBytes: 28, bodyBytes: 20 };
    fc.assert(
      fc.property(conversations, cuts, (sent, cuts) => {
        const bytes = Buffer.from(textOf(sent), 'latin1');
        const whole = feed([bytes], tight);
        expect(feed(cutAt(bytes, cuts), tight)).toEqual(whole);
        expect(feed(bySize(bytes, 1), tight)).toEqual(whole);
      }),
      runs,
    );
  });
});
