/** What is between the parser and its connection: where it stops, how it stands, what it says of a broken request. */

import { describe, expect, test } from 'vitest';
import { HttpError } from '../../../src/http/errors.ts';
import { RequestParser } from '../../../src/http/h1/parser.ts';
import { defaultLimits, type Limits } from '../../../src/http/limits.ts';
import { conformanceLimits } from '../conformance.ts';
import { bySize } from '../cuts.ts';
import { feed } from '../feed.ts';

const unlimited: Limits = { requestLineBytes: 0, fieldCount: 1000, fieldBytes: 0, bodyBytes: 0 };

function makeParser(limits = defaultLimits) {
  const calls: string[] = [];
  const parser = new RequestParser(limits, {
    onHead: ({ method, target }) => calls.push(`head ${method} ${target}`),
    onBody: (bytes, start, end) => calls.push(`body ${bytes.toString('latin1', start, end)}`),
    onEnd: () => calls.push('end'),
  });
  const take = (text: string) => parser.feed(Buffer.from(text, 'latin1'), 0, text.length);
  return { parser, calls, take };
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';
const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('where the parser stops', () => {
  test('at the end of a request, and at the first byte of the next', () => {
    const { calls, take } = makeParser();
    expect(take(get + get)).toBe(get.length);
    expect(calls).toEqual(['head GET /', 'end']);
  });

  test('after a head, at the first byte of its body', () => {
    const { calls, take } = makeParser();
    expect(take(`${post}hello`)).toBe(post.length);
    expect(calls).toEqual(['head POST /']);
  });

  test('right after the last byte of a body with a length', () => {
    const { calls, take } = makeParser();
    take(post);
    expect(take('helloGET')).toBe(5);
    expect(calls).toEqual(['head POST /', 'body hello', 'end']);
  });

  test('right after the last empty line of a chunked body', () => {
    const { calls, take } = makeParser();
    const body = '3\r\nabc\r\n0\r\n\r\n';
    take(chunked);
    expect(take(`${body}GET`)).toBe(body.length);
    expect(calls).toEqual(['head POST /', 'body abc', 'end']);
  });

  test('it reads from where it is told to where it is told', () => {
    const { parser, calls } = makeParser();
    const bytes = Buffer.from(`xx${get}yy`);
    expect(parser.feed(bytes, 2, bytes.length - 2)).toBe(bytes.length - 2);
    expect(calls).toEqual(['head GET /', 'end']);
  });

  test('the head of a request is known before its body has come', () => {
    const { calls, take } = makeParser();
    take(post);
    expect(calls).toEqual(['head POST /']);
  });
});

describe('how the parser stands', () => {
  test.each([
    ['', true, false],
    ['\r\n', true, false],
    ['\r\n\r', false, true],
    ['G', false, true],
    ['GET / HTTP/1.1\r\n', false, true],
    ['GET / HTTP/1.1\r\nHost: a\r\n', false, true],
    [get, true, false],
    [`${get}\r\n`, true, false],
    [post, false, false],
    [`${post}hell`, false, false],
    [`${post}hello`, true, false],
    [`${chunked}0\r\n`, false, false],
    [`${chunked}0\r\n\r\n`, true, false],
  ])('after %j it is idle: %s, inside a head: %s', (text, isIdle, isInHead) => {
    const { parser, take } = makeParser();
    for (let rest = text; rest !== ''; ) rest = rest.slice(take(rest));
    expect([parser.isIdle, parser.isInHead]).toEqual([isIdle, isInHead]);
  });
});

describe('a request that cannot be read', () => {
  test('whose request line is known is answered as what it is', () => {
    const { parser, take } = makeParser();
    expect(() => take('HEAD /a HTTP/1.0\r\nbad field\r\n')).toThrow(HttpError);
    expect(parser.brokenHead).toMatchObject({ method: 'HEAD', target: '/a', minorVersion: 0 });
  });

  test('whose request line is not known is answered as HTTP/1.1', () => {
    const { parser, take } = makeParser();
    expect(() => take('nonsense\r\n')).toThrow(HttpError);
    expect(parser.brokenHead).toMatchObject({ method: '', minorVersion: 1 });
  });

  test('has nothing of the request before it', () => {
    const { parser, take } = makeParser();
    take('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(() => take('nonsense\r\n')).toThrow(HttpError);
    expect(parser.brokenHead.method).toBe('');
  });

  test('is described without a byte of what it sent', () => {
    const messages = [
      '<script> / HTTP/1.1\r\n',
      'GET <script> HTTP/1.1\r\n',
      'GET / <script>\r\n',
      'GET / HTTP/1.1\r\n<script>: 1\r\n',
      'GET / HTTP/1.1\r\nHost: <script>\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: <script>\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: <script>\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: <script>\r\n\r\n',
      `${chunked}<script>\r\n`,
    ].map((text) => feed([Buffer.from(text)], defaultLimits).error?.message);
    expect(messages).not.toContain(undefined);
    expect(messages.join()).not.toContain('script');
  });
});

describe('limits', () => {
  test('zero means no limit on lines and bodies', () => {
    const long = 'a'.repeat(100_000);
    const text = `POST /${long} HTTP/1.1\r\nHost: a\r\nX-A: ${long}\r\nContent-Length: ${long.length}\r\n\r\n${long}`;
    const { requests, state } = feed([Buffer.from(text)], unlimited);
    expect(state).toBe('idle');
    expect(requests[0]).toMatchObject({ body: long, head: { target: `/${long}` } });
    expect(feed(bySize(Buffer.from(text), 7000), unlimited)).toMatchObject({
      requests: [{ body: long }],
      state: 'idle',
    });
  });

  test.each([
    [0, 'GET /aaaaaaa HTTP/1.1\r', 'head'],
    [1, 'GET /aaaaaaaa HTTP/1.1', 414],
    [2, 'GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaaaaa\r', 'head'],
    [3, 'GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaaaaaa', 431],
    [4, 'GET / HTTP/1.1\r\nA:\r\nA:\r\nA:', 'head'],
    [5, 'GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\n', 431],
  ])('a limit counts a line without its CR, even before its end has come (%i)', (_, text, outcome) => {
    const limits: Limits = { requestLineBytes: 21, fieldCount: 2, fieldBytes: 20, bodyBytes: 0 };
    for (const pieces of [[Buffer.from(text)], bySize(Buffer.from(text), 1)]) {
      const { error, state } = feed(pieces, limits);
      expect(error?.status ?? state).toBe(outcome);
    }
  });

  test('the limit on a body is for each body anew', () => {
    const text = `${chunked}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`;
    const { requests, state } = feed([Buffer.from(text.repeat(3))], { ...conformanceLimits, bodyBytes: 6 });
    expect(requests.map(({ body }) => body)).toEqual(['abcdef', 'abcdef', 'abcdef']);
    expect(state).toBe('idle');
  });

  test('a line may lie across the windows in which lines are sought', () => {
    const fields = Array.from({ length: 90 }, (_, index) => `X-${index}: ${'v'.repeat(900)}\r\n`).join('');
    const { requests } = feed([Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)], defaultLimits);
    expect(requests[0]?.head.values.slice(1)).toEqual(new Array(90).fill('v'.repeat(900)));
  });
});
