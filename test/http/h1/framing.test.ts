/** What the conformance cases cannot see from outside: how a head is understood. */

import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../../../src/http/head.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import { feed } from '../feed.ts';

function headOf(requestLine: string, ...fields: string[]): RequestHead {
  const text = [requestLine, ...fields, '', ''].join('\r\n');
  const { requests, error } = feed([Buffer.from(text, 'latin1')], defaultLimits);
  if (error !== undefined) throw new Error(`${error.status} ${error.message}`);
  return requests[0]!.head;
}

const host = 'Host: example.org';

describe('request targets (RFC 9112 §3.2)', () => {
  test.each([
    ['GET /', '/', '', 'example.org'],
    ['GET /a?b', '/a', 'b', 'example.org'],
    ['GET /a?', '/a', '', 'example.org'],
    ['GET /?a?b', '/', 'a?b', 'example.org'],
    ['GET //a', '//a', '', 'example.org'],
    ['GET /http://a/b', '/http://a/b', '', 'example.org'],
    ['GET http://a', '/', '', 'a'],
    ['GET http://a?b', '/', 'b', 'a'],
    ['GET http://a:80/b?c', '/b', 'c', 'a:80'],
    ['GET https://[::1]:80/', '/', '', '[::1]:80'],
    ['OPTIONS *', '*', '', 'example.org'],
    ['OPTIONS http://a', '/', '', 'a'],
  ])('%s has path %j, query %j and host %j', (start, path, query, meantHost) => {
    const head = headOf(`${start} HTTP/1.1`, host);
    expect([head.path, head.query, head.host]).toEqual([path, query, meantHost]);
    expect(`${head.method} ${head.target}`, 'as sent').toBe(start);
  });

  test('without a Host field HTTP/1.0 has no host, and with an absolute target it has that one', () => {
    expect(headOf('GET / HTTP/1.0').host).toBeUndefined();
    expect(headOf('GET http://a/ HTTP/1.0').host).toBe('a');
  });
});

describe('the body’s end (RFC 9112 §6.3)', () => {
  test.each([
    [[], -1, false, false],
    [['Content-Length: 0'], 0, false, false],
    [['Content-Length: 7'], 7, false, true],
    [['Content-Length: 9007199254740991'], Number.MAX_SAFE_INTEGER, false, true],
    [['Transfer-Encoding: chunked'], -1, true, true],
  ])('%j: length %i, chunked %s, a body %s', (fields, contentLength, isChunked, hasBody) => {
    expect(headOf('POST / HTTP/1.1', host, ...fields)).toMatchObject({ contentLength, isChunked, hasBody });
  });
});

test('a list of codings that no client needs is refused before it is taken apart', () => {
  const fields = Array(98).fill(`Transfer-Encoding: gzip${',gzip'.repeat(1000)}`);
  expect(() => headOf('POST / HTTP/1.1', host, ...fields)).toThrow('400 malformed');
});

describe('what the client asks of the connection (RFC 9112 §9.3, RFC 9110 §7.6.1)', () => {
  test.each([
    ['HTTP/1.1', [], true, false],
    ['HTTP/1.0', [], false, false],
    ['HTTP/1.0', ['Connection: keep-alive'], true, false],
    ['HTTP/1.0', ['Connection: a', 'Connection: Keep-Alive'], true, false],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false, false],
    ['HTTP/1.1', ['Connection: close'], false, false],
    ['HTTP/1.1', ['Connection: closed'], true, false],
    ['HTTP/1.1', ['Connection: "close"'], true, false],
    ['HTTP/1.1', ['Connection: Upgrade'], true, true],
    ['HTTP/1.1', ['Connection: keep-alive, UPGRADE'], true, true],
    ['HTTP/1.1', ['Upgrade: websocket'], true, false],
  ])('%s with %j: keep %s, upgrade %s', (version, fields, isKeepAlive, isUpgrade) => {
    expect(headOf(`GET / ${version}`, host, ...fields)).toMatchObject({ isKeepAlive, isUpgrade });
  });
});

describe('expectations (RFC 9110 §10.1.1)', () => {
  test.each([
    ['HTTP/1.1', '100-continue', true],
    ['HTTP/1.1', '100-CONTINUE', true],
    ['HTTP/1.0', '100-continue', false],
  ])('%s with Expect: %s waits: %s', (version, value, expectsContinue) => {
    expect(headOf(`POST / ${version}`, host, `Expect: ${value}`)).toMatchObject({ expectsContinue });
  });
});

describe('fields as the app gets them (RFC 9110 §5)', () => {
  test('names as sent, values trimmed, in order, repeated ones each for itself', () => {
    const head = headOf('GET / HTTP/1.1', 'hOsT: a', 'X-A:1', 'x-a: \t2 ', 'X-B:');
    expect(head.names.map(({ raw }) => raw)).toEqual(['hOsT', 'X-A', 'x-a', 'X-B']);
    expect(head.names.map(({ lower }) => lower)).toEqual(['host', 'x-a', 'x-a', 'x-b']);
    expect(head.values).toEqual(['a', '1', '2', '']);
  });
});
