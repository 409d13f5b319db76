/** Bodies that are read before their request begins: when it does, what it costs, and what is left behind. */

import { describe, expect, test } from 'vitest';
import { nowhere } from '../../src/http/ends.ts';
import { Exchange, type Transport } from '../../src/http/exchange.ts';
import { H1Answer } from '../../src/http/h1/answer.ts';
import { RequestHead } from '../../src/http/head.ts';
import { maxReadAheadBytes } from '../../src/http/limits.ts';
import { ReadAhead } from '../../src/http/read-ahead.ts';

const limitBytes = 10;

function open(limit = limitBytes) {
  const begun: Exchange[] = [];
  let fullCount = 0;
  const ahead = new ReadAhead(
    limit,
    (exchange) => begun.push(exchange),
    () => fullCount++,
  );
  const calls: string[] = [];
  const transport: Transport = {
    requestIdHeader: 'x-request-id',
    ends: { local: nowhere, remote: nowhere, scheme: 'http' },
    answer: new H1Answer({ sendText: (text) => calls.push(text.split('\r\n')[0]!) > 0, sendBytes: () => true }),
    pendingBytes: 0,
    whenTaken: () => {},
    pauseBody: () => void calls.push('pause'),
    resumeBody: () => void calls.push('resume'),
    mayPersist: () => true,
    finish: () => {},
    cut: () => {},
    hangUp: () => {},
    extendDeadline: () => {},
    waitFor: () => {},
    logFailure: () => {},
  };
  const take = (shape: Partial<RequestHead> = { isChunked: true }) => {
    const exchange = new Exchange(Object.assign(new RequestHead(), shape), transport, 0);
    ahead.take(exchange);
    return exchange;
  };
  return { ahead, begun, calls, take, fullCount: () => fullCount };
}

/** What an app reads, and whether that was all. */
function read(exchange: Exchange) {
  const seen = { text: '', isWhole: false };
  exchange.readBody({
    onData(bytes) {
      seen.text += bytes;
      return true;
    },
    onEnd() {
      seen.isWhole = true;
    },
  });
  return seen;
}

describe('a request', () => {
  test('without a body begins at once', () => {
    const { begun, take, calls } = open();
    const exchange = take({ contentLength: 0 });
    expect(begun).toEqual([exchange]);
    expect(calls).toEqual([]);
  });

  test('with one begins when all of it has come, and the app reads it from its beginning', () => {
    const { begun, take } = open();
    const exchange = take();
    exchange.takeBody(Buffer.from('hello '));
    exchange.takeBody(Buffer.from('you'));
    expect(begun).toEqual([]);
    exchange.endBody();
    expect(begun).toEqual([exchange]);
    expect(exchange.isWhole).toBe(true);
    expect(read(exchange)).toEqual({ text: 'hello you', isWhole: true });
  });

  test('with a body of exactly the limit waits for its end', () => {
    const { begun, take, calls } = open();
    const exchange = take({ contentLength: limitBytes });
    exchange.takeBody(Buffer.from('x'.repeat(limitBytes)));
    expect(begun).toEqual([]);
    exchange.endBody();
    expect(begun).toEqual([exchange]);
    expect(calls).not.toContain('pause');
  });

  test('with a longer one begins at the first byte beyond, and the rest waits for the app to read', () => {
    const { begun, take, calls } = open();
    const exchange = take({ contentLength: 100 });
    exchange.takeBody(Buffer.from('x'.repeat(limitBytes)));
    expect(begun).toEqual([]);
    exchange.takeBody(Buffer.from('y'));
    expect(begun).toEqual([exchange]);
    expect(calls.at(-1)).toBe('pause');
    const seen = read(exchange);
    expect(calls.at(-1)).toBe('resume');
    exchange.takeBody(Buffer.from('z'));
    exchange.endBody();
    expect(seen).toEqual({ text: `${'x'.repeat(limitBytes)}yz`, isWhole: true });
  });

  test('that asks first is told once to go on', () => {
    const { take, calls } = open();
    const exchange = take({ contentLength: 5, expectsContinue: true });
    expect(calls).toEqual(['HTTP/1.1 100 Continue', 'resume']);
    expect(exchange.isAwaitingContinue).toBe(false);
    exchange.takeBody(Buffer.from('hello'));
    exchange.endBody();
    read(exchange);
    expect(calls.filter((call) => call.startsWith('HTTP/1.1 100'))).toHaveLength(1);
  });

  test('whose client leaves before its body is there never begins', () => {
    const { begun, take } = open();
    const exchange = take();
    exchange.takeBody(Buffer.from('he'));
    exchange.abort(new Error('gone'));
    exchange.endBody();
    expect(begun).toEqual([]);
  });

  test('begins with its head where the limit is 0', () => {
    const { begun, take } = open(0);
    expect(begun).toEqual([take({ contentLength: 5 })]);
  });
});

describe('the memory of all bodies', () => {
  const mebibyte = Buffer.alloc(1024 * 1024);
  const fill = ({ take }: ReturnType<typeof open>) =>
    Array.from({ length: maxReadAheadBytes / mebibyte.length }, () => {
      const exchange = take();
      exchange.takeBody(mebibyte);
      return exchange;
    });

  test('is bounded: when it is used up, a body goes to the app as it arrives', () => {
    const opened = open(mebibyte.length);
    fill(opened);
    expect(opened.begun).toEqual([]);
    const exchange = opened.take();
    exchange.takeBody(Buffer.from('one byte more'));
    expect(opened.begun).toEqual([exchange]);
    expect(opened.fullCount()).toBe(1);
  });

  test.each<[string, (opened: ReturnType<typeof open>, exchange: Exchange) => void]>([
    ['has begun', ({ ahead }, exchange) => ahead.release(exchange)],
    ['was answered without the app', (_, exchange) => exchange.tellOver()],
    ['has gone', (_, exchange) => exchange.abort(new Error('gone'))],
    [
      'has gone after it began',
      ({ ahead }, exchange) => {
        ahead.release(exchange);
        exchange.abort(new Error('gone'));
      },
    ],
  ])('is given back by a request that %s', (_, end) => {
    const opened = open(mebibyte.length);
    for (const exchange of fill(opened)) end(opened, exchange);
    fill(opened);
    expect(opened.begun).toEqual([]);
    expect(opened.fullCount()).toBe(0);
  });
});
