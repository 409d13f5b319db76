import { describe, expect, test } from 'vitest';
import {
  absoluteForm,
  authorityForm,
  chunkLineForm,
  fieldValueForm,
  hostForm,
  listMembers,
  statusForm,
  targetForm,
  tokenForm,
  trimOws,
} from '../../../src/http/h1/grammar.ts';

/** Every byte that a form takes as its only one. */
const bytesTaken = (form: RegExp) =>
  Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
    .filter((text) => form.test(text))
    .join('');

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join('');

describe('which bytes may stand where', () => {
  test('a token has letters, digits and fifteen marks (RFC 9110 §5.6.2)', () => {
    const sorted = [..."!#$%&'*+-.^_`|~", ...range(0x30, 0x39), ...range(0x41, 0x5a), ...range(0x61, 0x7a)].sort();
    expect([...bytesTaken(tokenForm)].sort()).toEqual(sorted);
  });

  test('a field value has tab, what is visible, and what is beyond ASCII (RFC 9110 §5.5)', () => {
    expect(bytesTaken(fieldValueForm)).toBe(`\t${range(0x20, 0x7e)}${range(0x80, 0xff)}`);
  });

  test('a request target has what is visible, but for " # < >', () => {
    expect(bytesTaken(targetForm)).toBe(range(0x21, 0x7e).replace(/["#<>]/g, ''));
  });

  test.each([tokenForm, fieldValueForm, targetForm, hostForm, statusForm, chunkLineForm, authorityForm])(
    '%s takes no line end after what it takes',
    (form) => {
      for (const text of ['a', '5', '200 OK', 'a:1', '/'])
        for (const end of ['\n', '\r', '\r\n', '\u2028']) expect(form.test(text + end), text + end).toBe(false);
    },
  );
});

describe('hosts (RFC 9110 §7.2)', () => {
  test.each(['', 'a', 'a.example.', 'a:', 'a:0', 'a:65535', '127.0.0.1', '[::1]', '[::ffff:1.2.3.4]:80', 'a_b', '%41'])(
    '%j is one',
    (text) => expect(hostForm.test(text)).toBe(true),
  );
  test.each([
    ':',
    ':80',
    'a:b',
    'a:800000',
    'a b',
    ' a',
    'a/',
    'a@b',
    '[',
    '[]',
    '[::1',
    '::1',
    '[::1]a',
    '%4',
    'a#b',
    'é',
  ])('%j is none', (text) => expect(hostForm.test(text)).toBe(false));
});

describe('authority form (RFC 9112 §3.2.3)', () => {
  test.each(['a:1', '127.0.0.1:443', '[::1]:443'])('%j is one', (text) => expect(authorityForm.test(text)).toBe(true));
  test.each(['a', 'a:', ':1', 'a:x', 'a:1/', 'a@b:1', '[::1]'])('%j is none', (text) =>
    expect(authorityForm.test(text)).toBe(false),
  );
});

describe('absolute form (RFC 9112 §3.2.2)', () => {
  test.each([
    ['http://a', 'a', undefined],
    ['https://a:1/b?c', 'a:1', '/b?c'],
    ['HTTP://a?b', 'a', '?b'],
    ['http://a//b', 'a', '//b'],
  ])('%j is authority %j and then %j', (text, authority, rest) => {
    expect(absoluteForm.exec(text)?.slice(1)).toEqual([authority, rest]);
  });
  test.each(['http:/a', 'http://', 'http:///a', 'httpx://a', 'ftp://a', '//a', 'http:a'])('%j is none', (text) => {
    expect(absoluteForm.test(text)).toBe(false);
  });
});

describe('chunk lines (RFC 9112 §7.1)', () => {
  test.each([
    ['0', '0', ''],
    ['fF', 'fF', ''],
    ['5;a', '5', ';a'],
    ['5 ;a = "b;\\"c" ; d=e', '5', ' ;a = "b;\\"c" ; d=e'],
    ['5;a="\xff\t "', '5', ';a="\xff\t "'],
    ['1234567890abc', '1234567890abc', ''],
  ])('%j has size %j and extensions %j', (line, size, extensions) => {
    expect(chunkLineForm.exec(line)?.slice(1)).toEqual([size, extensions]);
  });
  test.each(['', ' 0', '0 ', '0\t', '-1', '+1', '0x1', '1_0', '1.', '5;', '5;;a', '5;a=', '5;=b', '5;a="', '5;a=b c'])(
    '%j is none',
    (line) => expect(chunkLineForm.test(line)).toBe(false),
  );
  test.each(['5;a="\\', '5;a="\\"', '5;a="b"c', '5;a=b=c', '5a;é=1', '12345678901234', '5;a="\x7f"', '5 a'])(
    '%j is none either',
    (line) => expect(chunkLineForm.test(line)).toBe(false),
  );
  test('a line of many extensions that ends wrongly is refused without trying every way to read it', () => {
    // Would not come back if the form could be matched in exponentially many ways.
    expect(chunkLineForm.test(`5${' ; a = b'.repeat(500)}!"`)).toBe(false);
    expect(chunkLineForm.test(`5;a="${'\\a'.repeat(2000)}`)).toBe(false);
    expect(chunkLineForm.test(`5${' '.repeat(4000)}`)).toBe(false);
  });
});

describe('statuses of an app (RFC 9112 §4)', () => {
  test.each(['200 OK', '200 ', '404 Not Found', '599 x', '299 caf\xe9'])('%j is one', (text) =>
    expect(statusForm.test(text)).toBe(true),
  );
  test.each(['200', '100 Continue', '099 x', '600 x', '2000 OK', ' 200 OK', '200 a\r\nb', '200 \x00', 'OK', '200 €'])(
    '%j is none',
    (text) => expect(statusForm.test(text)).toBe(false),
  );
});

describe('optional whitespace (RFC 9110 §5.6.3)', () => {
  test.each([
    ['', ''],
    [' \t ', ''],
    ['a', 'a'],
    [' \ta b\t ', 'a b'],
    ['\va\f', '\va\f'],
    ['\xa0a\xa0', '\xa0a\xa0'],
    ['\ra\n', '\ra\n'],
  ])('%j without it is %j', (text, trimmed) => expect(trimOws(text)).toBe(trimmed));

  test('trimming may begin inside a text', () => expect(trimOws('name: value ', 5)).toBe('value'));
});

describe('lists (RFC 9110 §5.6.1)', () => {
  test.each([
    ['', []],
    [' , ,', []],
    ['Close', ['close']],
    ['a,\tB ,,c d', ['a', 'b', 'c d']],
  ])('the members of %j are %j', (value, members) => expect(listMembers(value)).toEqual(members));
});
