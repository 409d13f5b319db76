/** What an app says to startResponse (PEP 3333, "The start_response() Callable"). */

import type { Header } from '../app/types.ts';
import { assert, show } from './assert.ts';

/** Of one connection, which is the server's (RFC 9110 §7.6.1; PEP 3333, "Other HTTP Features"). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Answers without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const withoutContent = ['204', '205', '304'];

export function checkStatus(status: unknown): asserts status is string {
  assert(typeof status === 'string', `a status is a text such as "200 OK", not ${show(status)}`);
  assert(/^[1-9]\d\d/.test(status), `a status begins with three digits, as in "200 OK", not ${show(status)}`);
  assert(status.length >= 4 && status[3] === ' ', `a status is its code, a space and a reason, not ${show(status)}`);
  assert(!status.startsWith('1'), `a status is a final one, not ${show(status)}`);
  assert(isPlain(status), `a status has no control characters and is latin1, not ${show(status)}`);
}

export function checkHeaders(headers: unknown): asserts headers is readonly Header[] {
  assert(Array.isArray(headers), `headers are a list of [name, value], not ${show(headers)}`);
  for (const header of headers) {
    assert(Array.isArray(header) && header.length === 2, `a header is [name, value], not ${show(header)}`);
    const [name, value] = header as readonly unknown[];
    assert(typeof name === 'string', `a header's name is a text, not ${show(name)}`);
    assert(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name), `a header's name is a token, not ${show(name)}`);
    assert(!/[-_]$/.test(name), `a header's name does not end in - or _: ${show(name)}`);
    assert(name.toLowerCase() !== 'status', 'the status is not a header: that is CGI');
    assert(!hopByHop.includes(name.toLowerCase()), `${name} is of the connection, and so the server's to say`);
    assert(typeof value === 'string', `the value of ${name} is a text, not ${show(value)}`);
    assert(isPlain(value), `the value of ${name} has no control characters and is latin1, not ${show(value)}`);
  }
}

/** An answer with content must have a Content-Type; others must not. */
export function checkContentType(status: string, headers: readonly Header[], method: string): void {
  const isSaid = headers.some(([name]) => name.toLowerCase() === 'content-type');
  if (withoutContent.includes(status.slice(0, 3)))
    assert(!isSaid, `Content-Type in a ${status.slice(0, 3)} answer, which has no content`);
  else assert(isSaid || method === 'HEAD' || isEmpty(headers), `no Content-Type in a ${status.slice(0, 3)} answer`);
}

function isEmpty(headers: readonly Header[]): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '0');
}

/** Tabs are allowed in values (RFC 9110 §5.5). */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 9) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}
