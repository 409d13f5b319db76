import { describe, expect, it } from 'vitest';
import { lookUpField } from '../../src/http/fields.ts';
import { RequestParser } from '../../src/http/h1/parser.ts';
import { defaultLimits } from '../../src/http/limits.ts';

const parser = new RequestParser(defaultLimits, { onHead: () => {}, onBody: () => {}, onEnd: () => {} });

function parse(...lines: string[]): void {
  const request = Buffer.from(`GET / HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
  parser.feed(request, 0, request.length);
}

describe('the guess at the next field name', () => {
  it('never keeps a name alive that is not cached: a client would fill the memory with them', () => {
    const long = `X-${'y'.repeat(100)}`;
    expect(lookUpField(long)?.isCached).toBe(false);
    // A name that nothing else has followed.
    parse('X-Before: a', `${long}: v`);
    expect(lookUpField('X-Before')).toMatchObject({ isCached: true, follower: undefined });
  });

  it('is the cached name that came last', () => {
    parse('Accept: a');
    expect(lookUpField('Host')?.follower?.raw).toBe('Accept');
    parse('Cookie: a');
    expect(lookUpField('Host')?.follower?.raw).toBe('Cookie');
  });
});
