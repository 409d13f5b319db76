/** How a thread parts with an answer that its client takes slowly, without processes: shared memory, or a slice at a time. */

import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Ends, nowhere } from '../../../src/http/ends.ts';
import { Exchange } from '../../../src/http/exchange.ts';
import { RequestHead } from '../../../src/http/head.ts';
import { Leftovers } from '../../../src/http/leftovers.ts';
import type { Outlet } from '../../../src/worker/threads/inside/outlet.ts';
import { Shares } from '../../../src/worker/threads/inside/shares.ts';
import { ThreadTransport } from '../../../src/worker/threads/inside/transport.ts';
import { Tunnels } from '../../../src/worker/threads/inside/tunnels.ts';
import {
  AnswerFlag,
  type AnswerPart,
  answerWindowBytes,
  bytesIn,
  type Share,
  type ToThread,
} from '../../../src/worker/threads/messages.ts';
import { SharesInUse } from '../../../src/worker/threads/shares.ts';

const mebibyte = 1024 * 1024;
/** No two of its slices are alike. */
const large = (bytes: number) => Buffer.from(Uint32Array.from({ length: bytes / 4 }, (_, index) => index).buffer);

function open(limitBytes: number) {
  const sent: { flags: number; answer: AnswerPart }[] = [];
  const posted: unknown[] = [];
  const outlet = {
    answer: (_id: number, flags: number, answer: AnswerPart) => sent.push({ flags, answer }),
    post: (message: unknown) => posted.push(message),
  } as unknown as Outlet;
  const head = Object.assign(new RequestHead(), { method: 'GET' });
  const ends: Ends = { local: nowhere, remote: nowhere, scheme: 'http' };
  const parts = {
    outlet,
    shares: new Shares(1, limitBytes),
    leftovers: new Leftovers(),
    tunnels: new Tunnels(outlet),
  };
  const transport = new ThreadTransport({ id: 1, head, ends }, parts, () => -1);
  const exchange = new Exchange(head, transport, 0);
  transport.serves(exchange);
  transport.isCalling = false;
  const none = Buffer.alloc(0);
  const text = () => {
    const bytesOf = ({ text, bytes = none, tail }: AnswerPart) => [Buffer.from(text), bytes, Buffer.from(tail)];
    return Buffer.concat(sent.flatMap(({ answer }) => bytesOf(answer)));
  };
  const body = () => text().subarray(text().indexOf('\r\n\r\n') + 4);
  const take = (bytes: number) => transport.noteTaken(bytes);
  return {
    sent,
    exchange,
    transport,
    body,
    take,
    ended: () => sent.some(({ flags }) => (flags & AnswerFlag.end) !== 0),
  };
}

describe('an answer in pieces', () => {
  test('holds its thread only beyond what the main thread takes ahead of the client', () => {
    const { exchange, take } = open(0);
    const piece = Buffer.alloc(64 * 1024);
    exchange.begin('200 OK', []);
    let written = 0;
    do written += piece.length;
    while (exchange.write(piece));
    expect(written).toBe(answerWindowBytes);
    let isDrained = false;
    exchange.onDrain = () => (isDrained = true);
    take(piece.length);
    expect(isDrained).toBe(true);
  });
});

describe('a large answer', () => {
  test('is the main thread’s at once where memory can be shared, and the thread is done with it', () => {
    const { sent, exchange, transport } = open(64 * mebibyte);
    const bytes = large(8 * mebibyte);
    let isSent = false;
    exchange.send('200 OK', [], bytes);
    transport.whenSent(() => (isSent = true));
    expect(isSent).toBe(true);
    const [{ flags, answer }] = sent as [{ flags: number; answer: AnswerPart }];
    expect(flags & AnswerFlag.end).not.toBe(0);
    expect(answer.share).toBeGreaterThan(0);
    expect(answer.bytes?.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(bytes.equals(answer.bytes!)).toBe(true);
  });

  test('waits in its thread where there is no room for it, and goes as fast as the client takes it', () => {
    const { sent, exchange, transport, body, take, ended } = open(0);
    const bytes = large(8 * mebibyte);
    let isSent = false;
    exchange.send('200 OK', [], bytes);
    transport.whenSent(() => {
      isSent = true;
      transport.done();
    });
    const held = () => sent.reduce((sum, { answer }) => sum + bytesIn(answer), 0);
    let taken = 0;
    while (!isSent) {
      expect(held() - taken).toBeLessThan(answerWindowBytes + 300 * 1024);
      expect(ended()).toBe(false);
      const step = held() - taken;
      expect(step, 'something to take').toBeGreaterThan(0);
      taken += step;
      take(step);
    }
    expect(ended()).toBe(true);
    expect(body().equals(bytes)).toBe(true);
    expect(sent.filter(({ flags }) => (flags & AnswerFlag.head) !== 0)).toHaveLength(1);
  });

  test('in several pieces keeps their order, and tells the app when to go on', () => {
    const { exchange, transport, body, take } = open(0);
    const pieces = [Buffer.from('a'), large(3 * mebibyte), Buffer.from('b'), large(2 * mebibyte), Buffer.from('c')];
    let drains = 0;
    exchange.onDrain = () => drains++;
    exchange.begin('200 OK', [['Content-Length', String(5 * mebibyte + 3)]]);
    expect(pieces.map((piece) => exchange.write(piece))).toEqual([true, false, false, false, false]);
    expect(drains).toBe(0);
    for (let count = 0; count < 30; count++) take(mebibyte / 4);
    expect(drains).toBe(1);
    exchange.end();
    transport.done();
    expect(body().equals(Buffer.concat(pieces))).toBe(true);
  });

  test('of text goes as bytes, out of the main thread’s heap', () => {
    const { sent, exchange, transport, body } = open(64 * mebibyte);
    const text = 'x'.repeat(200_000);
    exchange.send('200 OK', [], text);
    transport.done();
    expect(sent[0]!.answer.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    expect(sent[0]!.answer.bytes?.byteLength).toBe(text.length);
    expect(body().toString()).toBe(text);
  });

  test('whose client has gone frees its thread', async () => {
    const { exchange, transport } = open(0);
    let isSent = false;
    exchange.send('200 OK', [], large(8 * mebibyte));
    transport.whenSent(() => (isSent = true));
    expect(isSent).toBe(false);
    transport.takeClose(new Error('gone'));
    // The app hears of it first.
    await setImmediate();
    expect(isSent).toBe(true);
  });
});

describe('shared memory', () => {
  test('has the same content once, whoever it is of', () => {
    const shares = new Shares(1);
    const first = shares.of(large(2 * mebibyte))!;
    expect(shares.of(large(2 * mebibyte))?.number).toBe(first.number);
    const changed = large(2 * mebibyte);
    changed[mebibyte] = 1 + changed[mebibyte]!;
    expect(shares.of(changed)!.number).not.toBe(first.number);
    expect(first.bytes[mebibyte]).toBe(large(2 * mebibyte)[mebibyte]);
  });

  test('is bounded, and there is room again for what clients no longer take', () => {
    const shares = new Shares(1, 3 * mebibyte);
    const { number } = shares.of(large(2 * mebibyte))!;
    expect(shares.of(Buffer.alloc(2 * mebibyte))?.number).toBeUndefined();
    shares.remove(number);
    expect(shares.of(Buffer.alloc(2 * mebibyte))?.number).toBeGreaterThan(number);
  });

  test('that another thread has filled counts, and serves this one too', () => {
    const mine = new Shares(1, 3 * mebibyte);
    const theirs = new Shares(2).of(large(2 * mebibyte))!;
    mine.add(theirs);
    expect(mine.of(large(2 * mebibyte))?.number).toBe(theirs.number);
    expect(mine.of(Buffer.alloc(2 * mebibyte))?.number).toBeUndefined();
  });

  test('is in use until the last client that is sent it has it, or has gone', () => {
    const told: ToThread[] = [];
    const shares = new SharesInUse([{ send: (message) => void told.push(message) }]);
    const share: Share = { number: 7, bytes: new Uint8Array(1) };
    const out: (() => void)[] = [];
    const transport = { whenTaken: (done: () => void) => void out.push(done) };
    shares.use(share, transport);
    shares.use({ ...share }, transport);
    expect(told).toEqual([['share', share]]);
    const newcomer: ToThread[] = [];
    shares.introduce({ send: (message) => void newcomer.push(message) });
    expect(newcomer).toEqual([['share', share]]);
    out[0]!();
    expect(told).toHaveLength(1);
    out[1]!();
    expect(told.slice(1)).toEqual([['unshare', 7]]);
    // Of one whose client has gone before.
    shares.use(share, undefined);
    expect(told.slice(2)).toEqual([
      ['share', share],
      ['unshare', 7],
    ]);
  });
});
