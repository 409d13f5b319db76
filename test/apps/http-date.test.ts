import { describe, expect, it } from 'vitest';
import { parseHttpDate } from '../../apps/static/http-date.ts';

const now = new Date('2026-06-01T00:00:00Z');
const parse = (text: string | undefined) => parseHttpDate(text, now);

describe('dates in fields (RFC 9110 §5.6.7)', () => {
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => {
      expect(parse(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    },
  );

  it('of two digits are at most 50 years from now', () => {
    expect(parse('Monday, 01-Jun-76 00:00:00 GMT')).toBe(Date.UTC(2076, 5, 1));
    expect(parse('Wednesday, 01-Jun-77 00:00:00 GMT')).toBe(Date.UTC(1977, 5, 1));
  });

  it('may be a leap day, and a leap second', () => {
    expect(parse('Thu, 29 Feb 2024 23:59:59 GMT')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59));
    expect(parse('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
  });

  it.each([
    undefined,
    '',
    'yesterday',
    '2099',
    '1 May 2020',
    '2020-05-01T00:00:00Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Thu, 30 Feb 2023 00:00:00 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
  ])('and not %j', (text) => {
    expect(parse(text)).toBe(undefined);
  });
});
