/** A head whose fields were read before is what reading makes of it, and nothing but the same bytes is taken for it. */

import { describe, expect, it, vi } from 'vitest';
import { KnownHeads } from '../../../src/http/h1/known-heads.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import { feed, type Parsed } from '../feed.ts';

const fields = [
  'Host: shop.example',
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64)',
  'Accept: text/html',
  'Cookie: session=8f14e45fceea167a5a36dedd4bea2543',
];
const head = (lines: readonly string[], target = '/') =>
  Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1');
const found = (known: KnownHeads) => vi.spyOn(known, 'find').mock.results;
/** Quicker to compare than what `read` returns. */
const said = ({ requests, error, state }: Parsed) =>
  JSON.stringify([
    error,
    state,
    ...requests.map(({ head: { names, ...rest } }) => [rest, names.map(({ raw }) => raw)]),
  ]);
const read = (bytes: Buffer, known?: KnownHeads) => feed([bytes], defaultLimits, known);

describe('a field section that was read before', () => {
  it('is found again behind another request line', () => {
    const known = new KnownHeads();
    const results = found(known);
    read(head(fields), known);
    expect(read(head(fields, '/a?b=c'), known)).toEqual(read(head(fields, '/a?b=c')));
    expect(results.map(({ value }) => value !== undefined)).toEqual([false, true]);
  });

  it('is read when any of its bytes is another', () => {
    const bytes = head(fields);
    const others: string[] = [];
    for (let at = bytes.indexOf('\n') + 1; at < bytes.length; at++)
      for (const byte of [0x00, 0x0a, 0x0d, 0x20, 0x3a, 0x80, bytes[at]! ^ 0x01]) {
        const known = new KnownHeads();
        read(bytes, known);
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        if (said(read(changed, known)) !== said(read(changed))) others.push(`byte ${at} as ${byte}`);
      }
    expect(others).toEqual([]);
  });

  it('is read when a field follows it, or when it is cut short', () => {
    for (const lines of [[...fields, 'X: y'], fields.slice(0, -1), [...fields, ...fields.slice(1)]]) {
      const known = new KnownHeads();
      read(head(fields), known);
      expect(read(head(lines), known)).toEqual(read(head(lines)));
    }
  });

  it('is read however much of what follows it has come', () => {
    const bytes = head([...fields, 'Transfer-Encoding: chunked']);
    for (let length = 1; length < bytes.length; length++) {
      const known = new KnownHeads();
      read(head(fields), known);
      const pieces = [bytes.subarray(0, length), bytes.subarray(length)];
      expect(feed(pieces, defaultLimits, known), `cut at ${length}`).toEqual(read(bytes));
    }
  });

  it.each([
    ['a body', true, ['Host: a', 'Content-Length: 3']],
    ['a chunked body', false, ['Host: a', 'Transfer-Encoding: chunked']],
    ['an expectation', false, ['Host: a', 'Content-Length: 3', 'Expect: 100-continue']],
    ['the end of the connection', true, ['Host: a', 'Connection: close']],
    ['an upgrade', true, ['Host: a', 'Connection: Upgrade', 'Upgrade: websocket']],
    ['a proxy', true, ['Host: a', 'X-Forwarded-Proto: https']],
  ])('means the same for %s', (_, isFound, lines) => {
    const known = new KnownHeads();
    const results = found(known);
    const bytes = head(lines);
    for (let time = 0; time < 3; time++) expect(read(bytes, known)).toEqual(read(bytes));
    expect(results.at(-1)?.value !== undefined).toBe(isFound);
  });

  it('is kept, even if others of its length come and never come back', () => {
    const known = new KnownHeads();
    const results = found(known);
    const numbered = (number: number) => head([...fields, `X-Id: ${1000 + number}`]);
    for (let number = 0; number < 200; number++) read(numbered(number), known);
    for (let number = 0; number < 200; number++) read(numbered(7), known);
    expect(results.at(-1)?.value).toBeDefined();
  });
});
