/** One request between the main thread and a thread, on a connection that is made up. */

import { describe, expect, it } from 'vitest';
import { nowhere } from '../../../src/http/ends.ts';
import { Exchange, type Transport } from '../../../src/http/exchange.ts';
import { H1Answer } from '../../../src/http/h1/answer.ts';
import { RequestHead } from '../../../src/http/head.ts';
import {
  AnswerFlag,
  creditBytes,
  readRequest,
  statusShift,
  type ToThread,
  windowBytes,
} from '../../../src/worker/threads/messages.ts';
import { Relay } from '../../../src/worker/threads/relay.ts';

function begun({ head = {}, isTaking = true }: { head?: Partial<RequestHead>; isTaking?: boolean }) {
  const toThread: ToThread[] = [];
  const toClient: string[] = [];
  const transport: Transport = {
    requestIdHeader: 'x-request-id',
    ends: { local: nowhere, remote: nowhere, scheme: 'http' },
    pendingBytes: 0,
    answer: new H1Answer({
      sendText: (text) => toClient.push(text) > 0 && isTaking,
      sendBytes: (text, bytes, tail) =>
        toClient.push(text, Buffer.from(bytes).toString('latin1'), tail) > 0 && isTaking,
    }),
    whenTaken: (callback) => callback(),
    pauseBody: () => toClient.push('(stop)'),
    resumeBody: () => toClient.push('(go on)'),
    mayPersist: () => true,
    finish: () => toClient.push('(end)'),
    cut: () => toClient.push('(cut)'),
    hangUp: () => {},
    extendDeadline: () => {},
    waitFor: () => {},
    logFailure: () => {},
  };
  const exchange = new Exchange(Object.assign(new RequestHead(), { method: 'POST' }, head), transport, 0);
  const relay = new Relay(exchange);
  relay.begin({ send: (message) => void toThread.push(message) }, 1);
  return { exchange, relay, toThread, toClient, kinds: () => toThread.map((message) => message[0]) };
}

const text = (said: string) => ({
  text: said,
  bytes: undefined,
  tail: '',
  headLength: said.length,
  sentBytes: 0,
  cpuMicros: -1,
});
const ok = (200 << statusShift) | AnswerFlag.head | AnswerFlag.persists;

describe('a request’s body', () => {
  it('of a small size follows its head at once, ahead of the app’s asking for it', () => {
    const { exchange, toThread } = begun({ head: { contentLength: 2 } });
    exchange.takeBody(Buffer.from('ab'));
    exchange.endBody();
    expect(readRequest(toThread[0] as string)).toMatchObject({ id: 1, head: { contentLength: 2 } });
    expect(toThread.slice(1)).toEqual([
      ['body', 1, new Uint8Array([97, 98])],
      ['bodyEnd', 1, undefined],
    ]);
  });

  it('is asked for when the app reads, where its client waits for that (RFC 9110 §10.1.1)', () => {
    const { relay, toThread, toClient } = begun({ head: { contentLength: 2, expectsContinue: true } });
    expect([toThread.length, toClient]).toEqual([1, []]);
    relay.readBody();
    expect(toClient).toEqual(['HTTP/1.1 100 Continue\r\n\r\n', '(go on)']);
  });

  it('stops when as much is under way as may be, and goes on when the app has taken some', () => {
    const { exchange, relay, toClient } = begun({ head: { isChunked: true } });
    relay.readBody();
    toClient.length = 0;
    exchange.takeBody(Buffer.alloc(windowBytes - 1));
    expect(toClient).toEqual([]);
    exchange.takeBody(Buffer.alloc(10));
    expect(toClient).toEqual(['(stop)']);
    relay.noteTaken(5);
    expect(toClient).toEqual(['(stop)']);
    relay.noteTaken(creditBytes);
    expect(toClient).toEqual(['(stop)', '(go on)']);
  });
});

describe('an answer', () => {
  it('is credited to its thread in steps', () => {
    const { relay, kinds, toThread } = begun({});
    relay.answer(AnswerFlag.head, text('HTTP/1.1 200 OK\r\n\r\n'));
    expect(kinds()).not.toContain('taken');
    const bytes = new Uint8Array(creditBytes);
    relay.answer(0, { text: '', bytes, tail: '', headLength: 0, sentBytes: bytes.length, cpuMicros: -1 });
    expect(toThread.at(-1)).toEqual(['taken', 1, creditBytes + 19]);
  });

  it('is credited only when a slow client has taken it', () => {
    const { exchange, relay, kinds, toThread } = begun({ isTaking: false });
    relay.answer(AnswerFlag.head, text('HTTP/1.1 200 OK\r\n\r\n'));
    relay.answer(0, { ...text(''), bytes: new Uint8Array(creditBytes) });
    expect(kinds()).not.toContain('taken');
    exchange.onDrain?.();
    expect(toThread.at(-1)).toEqual(['taken', 1, creditBytes + 19]);
  });

  it('that is complete is confirmed to a thread that asked for it, when it is out', () => {
    const { exchange, relay, toThread, toClient } = begun({});
    const { head, end, confirm } = AnswerFlag;
    relay.answer((204 << statusShift) | head | end | confirm, text('HTTP/1.1 204 No Content\r\n\r\n'));
    expect([exchange.isEnded, exchange.status]).toEqual([true, '204']);
    expect(toClient.at(-1)).toBe('(end)');
    expect(toThread.at(-1)).toEqual(['out', 1, true]);
  });

  it.each([
    ['persists, in HTTP/1.1', 1, ok, ''],
    ['persists, in HTTP/1.0', 0, ok, 'Connection: keep-alive\r\n'],
    ['ends with it', 1, ok & ~AnswerFlag.persists, 'Connection: close\r\n'],
    ['ends with it, as the app wants', 1, ok | AnswerFlag.hangUp, 'Connection: close\r\n'],
  ])('says to the client, at the end of its head, that its connection %s', (_, minorVersion, flags, field) => {
    const { exchange, relay, toClient } = begun({ head: { minorVersion } });
    const answer = { ...text('HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n'), sentBytes: 4, cpuMicros: -1 };
    relay.answer(flags, { ...answer, text: `${answer.text}\r\n\r\n` });
    expect(toClient).toEqual([`HTTP/1.1 200 OK\r\nX-A: 1\r\n${field}\r\n\r\n\r\n`]);
    expect([exchange.status, exchange.sentBytes]).toEqual(['200', 4]);
  });

  it('goes nowhere when its client has gone, and the thread is told so', () => {
    const { exchange, relay, toThread, toClient } = begun({});
    exchange.abort(new Error('gone'));
    relay.answer(AnswerFlag.head | AnswerFlag.end | AnswerFlag.confirm, text('HTTP/1.1 200 OK\r\n\r\n'));
    expect(toClient).toEqual([]);
    expect(toThread.at(-1)).toEqual(['out', 1, false]);
  });
});

it('a thread hears why nobody waits for its request any more, unless it is done with it', () => {
  const { relay, toThread } = begun({});
  relay.leave(Object.assign(new Error('over time'), { name: 'TimeoutError' }));
  relay.abort(new Error('gone'));
  expect(toThread.slice(1)).toEqual([
    ['left', 1, 'TimeoutError', 'over time'],
    ['gone', 1, 'gone', undefined],
  ]);
  relay.abort(new Error('reset', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) }));
  expect(toThread.at(-1)).toMatchObject(['gone', 1, 'reset', { message: 'read ECONNRESET', code: 'ECONNRESET' }]);
  relay.isOver = true;
  relay.abort(new Error('again'));
  expect(toThread).toHaveLength(4);
});
