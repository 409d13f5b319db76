/** A request's head on its way to a thread: what is written there is what is read here. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ends } from '../../../src/http/ends.ts';
import { lookUpField } from '../../../src/http/fields.ts';
import { RequestHead } from '../../../src/http/head.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import { readRequest, writeRequest } from '../../../src/worker/threads/messages.ts';
import { feed } from '../../http/feed.ts';

const ends: Ends = {
  local: { address: '::1', port: '8000' },
  remote: { address: '2001:db8::7', port: '4321' },
  scheme: 'https',
};

test.each([
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.0\r\n\r\n',
  'POST /a%20b?c=d HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\nX-A:\r\nX-A: \xe9 b\r\n\r\n',
  'PUT http://b/c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
])('%j', (text) => {
  const { head } = feed([Buffer.from(text, 'latin1')], defaultLimits).requests[0]!;
  const read = readRequest(writeRequest(7, head, ends, head.isKeepAlive));
  expect(read).toEqual({ id: 7, head, ends });
});

test('whatever the parser lets through', () => {
  // No line feed, nor what else the parser refuses.
  const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
  const end = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('')), port: fc.nat(65_535).map(String) });
  const request = fc.record({
    id: fc.maxSafeNat(),
    method: token,
    target: value,
    path: value,
    query: value,
    minorVersion: fc.constantFrom(0, 1),
    host: fc.option(value, { nil: undefined }),
    contentLength: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
    isChunked: fc.boolean(),
    isKeepAlive: fc.boolean(),
    fields: fc.array(fc.tuple(token, value)),
    ends: fc.record({ local: end, remote: end, scheme: fc.constantFrom('http', 'https') }),
  });
  fc.assert(
    fc.property(request, ({ id, fields, ends, ...rest }) => {
      const head = Object.assign(new RequestHead(), rest);
      for (const [name, value] of fields) {
        head.names.push(lookUpField(name)!);
        head.values.push(value);
      }
      expect(readRequest(writeRequest(id, head, ends, head.isKeepAlive))).toEqual({ id, head, ends });
    }),
  );
});
