/** What an app may put into a head, an interim head and trailers, and what becomes of the rest. */

import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/http/errors.ts';
import {
  type Field,
  type ResponseState,
  writeHead,
  writeInterimHead,
  writeTrailers,
} from '../../../src/http/h1/writer.ts';

const stateOf = (overrides: Partial<ResponseState> = {}): ResponseState => ({
  isHeadRequest: false,
  minorVersion: 1,
  persists: true,
  sendsDate: false,
  framing: 'none',
  contentLength: -1,
  ...overrides,
});

describe('an answer without content', () => {
  test.each([
    ['204 No Content', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['205 Reset Content', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
    ['304 Not Modified', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ])('of %s frames none, whatever the app has for a body', (status, head) => {
    for (const knownLength of [-1, 0, 5]) {
      const state = stateOf();
      expect(writeHead(state, status, [], knownLength)).toBe(head);
      expect(state).toMatchObject({ framing: 'none', contentLength: -1 });
    }
    expect(writeHead(stateOf({ isHeadRequest: true }), status, [], -1), 'to HEAD').toBe(head);
  });

  test.each(['204 No Content', '205 Reset Content'])('of %s does not pass on a length', (status) => {
    expect(writeHead(stateOf(), status, [['Content-Length', '5']], 5)).not.toContain('Content-Length: 5');
  });
});

describe('fields that have one value (RFC 9110 §8.3, §6.6.1)', () => {
  test.each<[string, Field[]]>([
    [
      'two Content-Type',
      [
        ['Content-Type', 'text/plain'],
        ['content-type', 'text/html'],
      ],
    ],
    [
      'two equal Content-Type',
      [
        ['Content-Type', 'text/plain'],
        ['Content-Type', 'text/plain'],
      ],
    ],
    [
      'two Date',
      [
        ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
        ['Date', 'Sun, 06 Nov 1994 08:49:38 GMT'],
      ],
    ],
  ])('%s are an error that names them', (_, fields) => {
    for (const isLenient of [false, true])
      expect(() => writeHead(stateOf({ isLenient }), '200 OK', fields, 0)).toThrow(
        /^more than one (?:content-type|date): an answer has one/i,
      );
  });
});

const ofConnection = ['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade'];
const sample = (name: string) => (name === 'Transfer-Encoding' ? 'chunked' : 'close');

describe('a head whose status and fields were written before', () => {
  const write = (fields: Field[], overrides?: Partial<ResponseState>, knownLength = 2) =>
    writeHead(stateOf(overrides), '200 OK', fields, knownLength);

  test('is the same for each answer', () => {
    const fields: Field[] = [['X-A', 'a']];
    const heads = [1, 2, 3].map(() => write(fields));
    expect(new Set(heads)).toEqual(new Set(['HTTP/1.1 200 OK\r\nX-A: a\r\nContent-Length: 2\r\n\r\n']));
  });

  test('has what the app has changed in its list since', () => {
    const field: [string, string] = ['X-A', 'a'];
    const fields: Field[] = [field];
    write(fields);
    field[1] = 'b';
    expect(write(fields)).toContain('X-A: b\r\n');
    field[0] = 'X-B';
    expect(write(fields)).toContain('X-B: b\r\n');
    fields.push(['X-C', 'c']);
    expect(write(fields)).toContain('X-B: b\r\nX-C: c\r\n');
    field[1] = 'b\r\nX-D: d';
    expect(() => write(fields)).toThrow(AppError);
  });

  test('depends on the connection, the request and the body of each answer', () => {
    const fields: Field[] = [['X-A', 'a']];
    write(fields);
    expect(write(fields, { persists: false })).toMatch(/Content-Length: 2\r\nConnection: close\r\n\r\n$/);
    expect(write(fields, { keepAliveLine: 'Keep-Alive: timeout=5\r\n' })).toMatch(/Keep-Alive: timeout=5\r\n\r\n$/);
    expect(write(fields, {}, 3)).toMatch(/\r\nContent-Length: 3\r\n\r\n$/);
    expect(write(fields, {}, -1)).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\n$/);
    expect(write(fields, { isHeadRequest: true }, 0)).toMatch(/X-A: a\r\n\r\n$/);
    expect(write(fields, { sendsDate: true })).toMatch(/X-A: a\r\nDate: [^\r]+\r\nContent-Length: 2\r\n\r\n$/);
    const codings: Field[] = [['Transfer-Encoding', 'chunked']];
    write(codings, { isLenient: true });
    expect(() => write(codings)).toThrow(/belongs to the connection/);
  });

  test('closes the connection each time, if the app says so', () => {
    for (let time = 0; time < 3; time++) {
      const state = stateOf();
      writeHead(state, '200 OK', [['Connection', 'close']], 0);
      expect(state.persists).toBe(false);
    }
  });
});

describe('an interim head', () => {
  test('passes on what is no business of the connection', () => {
    const fields: Field[] = [
      ['Link', '</a.css>; rel=preload'],
      ['X-A', '1'],
    ];
    expect(writeInterimHead('103 Early Hints', fields, false)).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-A: 1\r\n\r\n',
    );
  });

  test.each(['Content-Length', ...ofConnection])('has no %s', (name) => {
    const fields: Field[] = [[name, name === 'Content-Length' ? '5' : sample(name)]];
    expect(writeInterimHead('103 Early Hints', fields, true)).toBe('HTTP/1.1 103 Early Hints\r\n\r\n');
  });

  test.each(ofConnection.slice(1))('with %s is an error by PEP 3333', (name) => {
    expect(() => writeInterimHead('103 Early Hints', [[name, sample(name)]], false)).toThrow(AppError);
    expect(() => writeHead(stateOf(), '200 OK', [[name, sample(name)]], 0)).toThrow(AppError);
  });

  test.each<[string, string, string]>([
    ['a line end in a value', 'X-A', 'a\r\nX-B: b'],
    ['an answer in a value', 'X-A', 'a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a bare line feed', 'X-A', 'a\nb'],
    ['a line end in a name', 'X-A: a\r\nX-B', 'b'],
    ['an empty name', '', 'b'],
    ['another coding', 'Transfer-Encoding', 'gzip'],
    ['what is beyond latin1', 'X-A', '€'],
  ])('with %s is an error', (_, name, value) => {
    expect(() => writeInterimHead('103 Early Hints', [[name, value]], true)).toThrow(AppError);
  });

  test.each(['101 Switching Protocols', '200 OK', '103', '103 a\r\nX-A: b', '1000 x'])('has no status %j', (status) => {
    expect(() => writeInterimHead(status, [], true)).toThrow(/^not the status of an interim answer/);
  });
});

describe('trailers (RFC 9110 §6.5.1)', () => {
  test('have neither what frames the message nor what routes or describes it', () => {
    const names = ['Content-Length', 'Content-Type', 'Date', 'Expect', 'Host', ...ofConnection];
    expect(writeTrailers([['X-T', 't'], ...names.map((name): Field => [name, '1'])])).toBe('X-T: t\r\n');
  });

  test('with a line end are an error', () => {
    expect(() => writeTrailers([['X-T', 'a\r\n\r\nHTTP/1.1 200 OK']])).toThrow(AppError);
  });
});
