/** A request's head on its way to a thread: what is written there is what is read here. */

import { expect, test } from 'vitest';
import type { Ends } from '../../../src/http/ends.ts';
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
