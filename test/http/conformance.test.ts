import { describe, expect, test } from 'vitest';
import { parseCases } from './conformance.ts';

const one = (lines: string) => parseCases(`case RFC 9112 §3: it works\n${lines}\n`, 'x.http')[0]!;
const sent = (lines: string) => Buffer.concat(one(`expect 200\n${lines}`).parts).toString('latin1');

describe('the format of conformance cases', () => {
  test('a case has a section, a name, a place, an outcome and bytes to send', () => {
    expect(one('expect 200\n> GET / HTTP/1.1\n>')).toEqual({
      section: 'RFC 9112 §3',
      name: 'it works',
      place: 'x.http:1',
      expected: { statuses: [200], closes: false },
      alternatives: [],
      sees: undefined,
      parts: [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      halfCloses: false,
    });
  });

  test('a line is sent with a CRLF, unless a backslash ends it', () => {
    expect(sent('> a\n> b\\\n> c')).toBe('a\r\nbc\r\n');
    expect(sent('> a\\\\')).toBe('a\\\r\n');
  });

  test('escapes stand for bytes, and repetitions for many', () => {
    expect(sent('> \\r\\n\\t\\v\\f\\s\\"\\\\\\x00\\xff')).toBe('\r\n\t\v\f "\\\x00\xff\r\n');
    expect(sent('> \\{ab*3}|\\{x\\n*2}\\')).toBe('ababab|x\nx\n');
  });

  test('outcomes are statuses, repeated ones too, and perhaps close or open', () => {
    expect(one('expect 200*3 400 close\n> x').expected).toEqual({ statuses: [200, 200, 200, 400], closes: true });
    expect(one('expect close\n> x').expected).toEqual({ statuses: [], closes: true });
    expect(one('expect 400 close\nor 200\n> x').alternatives).toEqual([{ statuses: [200], closes: false }]);
    expect(one('expect 400 close\nor open\n> x').alternatives).toEqual([{ statuses: [], closes: true, mayWait: true }]);
  });

  test('what the app sees has a method and a target, and perhaps a body and an environ', () => {
    expect(one('expect 200\nsees POST /a "b\\n"\nenv HTTP_A "1"\nenv HTTP_B none\nsees GET /c\n> x').sees).toEqual([
      { method: 'POST', target: '/a', body: 'b\n', environ: { HTTP_A: '1', HTTP_B: undefined } },
      { method: 'GET', target: '/c', body: undefined, environ: {} },
    ]);
    expect(one('expect 400 close\nsees nothing\n> x').sees).toEqual([]);
  });

  test('await parts what is sent, and half-close ends it', () => {
    const { parts, halfCloses } = one('expect 100 200\nhalf-close\n> a\nawait\n> b\\');
    expect(parts.map(String)).toEqual(['a\r\n', 'b']);
    expect(halfCloses).toBe(true);
  });

  test.each([
    ['expect 200\n> a\nfoo', 'x.http:4: not a case, expect,'],
    ['expect 2000\n> a', 'x.http:2: not statuses, then perhaps close or open: 2000'],
    ['expect open\n> a', 'x.http:1: tsgun never leaves a connection open'],
    ['expect\n> a', 'x.http:2: not statuses'],
    ['expect 200\nsees GET\n> a', 'x.http:3: not METHOD target "body": GET'],
    ['expect 200\nenv A "b"\n> a', 'x.http:3: not KEY "value" after sees: A "b"'],
    ['expect 200\n> a\\q', 'x.http:3: not an escape: \\q'],
    ['> a', 'x.http:1: the case expects nothing'],
    ['expect 200', 'x.http:1: the case sends nothing'],
  ])('%j is refused with its place', (lines, message) => {
    expect(() => one(lines)).toThrow(message);
  });

  test('what comes before the first case, and a case without a section, are refused', () => {
    expect(() => parseCases('> a', 'x.http')).toThrow('x.http:1: before the first case: > a');
    expect(() => parseCases('case no section', 'x.http')).toThrow('x.http:1: not "case RFC nnnn §n: name"');
  });
});
