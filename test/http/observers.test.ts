/** Every request that is over is told of once, however it ended: with its status, bytes, time and outcome. */

import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/http/exchange.ts';
import { Connection } from '../../src/http/h1/connection.ts';
import { defaultLimits, defaultTimeouts } from '../../src/http/limits.ts';
import { Observers, type RequestRecord } from '../../src/http/observers.ts';
import { HttpServer } from '../../src/http/server.ts';
import { MadeUpWire } from './h1/made-up-wire.ts';

function open(handle: (exchange: Exchange) => void = () => {}) {
  const wire = new MadeUpWire();
  const records: RequestRecord[] = [];
  const observers = new Observers();
  observers.onOver((record) => records.push(record));
  const server = new HttpServer({
    limits: defaultLimits,
    timeouts: defaultTimeouts,
    handle,
    onFailure: () => {},
    observers,
  });
  const remote = { address: '10.0.0.7', port: '1234' };
  const connection = new Connection(server, undefined as never, remote, (_, events) => {
    wire.events = events;
    return wire;
  });
  return { wire, records, connection, server };
}

const get = 'GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n';
const post = (length: number) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;

describe('a request that is', () => {
  test('answered, with all that an access log says of it', () => {
    const { wire, records } = open((exchange) => exchange.send('201 Created', [['X-A', '1']], 'schön'));
    wire.bring(get);
    expect(records).toHaveLength(1);
    const [record] = records;
    expect(record).toMatchObject({
      method: 'GET',
      target: '/a?b',
      version: '1.1',
      status: 201,
      sentBytes: 6,
      receivedBytes: 0,
      outcome: 'answered',
      queueMs: undefined,
      requestFields: [['Host', 'h']],
      responseFields: [['X-A', '1']],
      ends: { remote: { address: '10.0.0.7', port: '1234' }, scheme: 'http' },
    });
    expect(record!.durationMs).toBeLessThan(performance.now() - record!.startedAt);
  });

  test('answered in pieces: bodies are counted without what frames them', () => {
    const { wire, records } = open((exchange) => {
      exchange.readBody({
        onData: () => true,
        onEnd() {
          exchange.begin('200 OK', []);
          exchange.write('abc');
          exchange.write(Buffer.alloc(1000));
          exchange.end();
        },
      });
    });
    wire.bring(`${post(5)}hello`);
    expect(records).toMatchObject([{ outcome: 'answered', sentBytes: 1003, receivedBytes: 5 }]);
  });

  test('to HEAD: no body is sent', () => {
    const { wire, records } = open((exchange) => exchange.send('200 OK', [], 'body'));
    wire.bring('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(records).toMatchObject([{ method: 'HEAD', sentBytes: 0 }]);
  });

  test('failed by the app before anything was sent', () => {
    const { wire, records } = open((exchange) => exchange.fail(new Error('app')));
    wire.bring(get);
    expect(records).toMatchObject([{ outcome: 'answered', status: 500 }]);
  });

  test('cut, as the app fails amid its answer', async () => {
    let exchange: Exchange | undefined;
    const { wire, records } = open((begun) => {
      exchange = begun;
    });
    wire.bring(get);
    exchange!.begin('200 OK', []);
    exchange!.write('half');
    exchange!.fail(new Error('app'));
    await expect.poll(() => records).toMatchObject([{ outcome: 'cut', status: 200, sentBytes: 4 }]);
  });

  test('aborted, as its client leaves before there is an answer', async () => {
    const { wire, records } = open();
    wire.bring(get);
    wire.destroy();
    await expect.poll(() => records).toMatchObject([{ outcome: 'aborted', status: undefined, sentBytes: 0 }]);
  });

  test('refused by the parser', () => {
    const { wire, records } = open();
    wire.bring('GET /a HTTP/1.1\r\nbad field\r\n\r\n');
    expect(records).toMatchObject([{ outcome: 'refused', status: 400, method: 'GET', target: '/a' }]);
  });

  test('refused, as its body is broken while the app reads it', () => {
    const { wire, records } = open();
    wire.bring('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    wire.bring('zzz\r\n');
    expect(records).toMatchObject([{ outcome: 'refused', status: 400, method: 'POST', receivedBytes: 3 }]);
  });

  test('refused, as its head takes too long', () => {
    const { wire, records, connection } = open();
    wire.bring('GET / HT');
    connection.expire();
    expect(records).toMatchObject([{ outcome: 'refused', status: 408, method: '' }]);
  });

  test('overdue, and answered in the app’s stead', () => {
    const { wire, records, connection } = open((exchange) => {
      exchange.deadline = performance.now();
    });
    wire.bring(get);
    const later = performance.now() + 10_000;
    connection.checkRequest(later);
    connection.checkRequest(later + 10_000);
    expect(records).toMatchObject([{ outcome: 'overdue', status: 504 }]);
  });

  test('upgraded: at the end of its connection, with all that went through', async () => {
    let exchange: Exchange | undefined;
    const { wire, records } = open((begun) => {
      exchange = begun;
    });
    wire.bring('GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    const events = { takeBytes() {}, takeEnd() {}, takeDrain() {}, takeFarewell: () => true };
    const { tunnel } = exchange!.transport.takeOver!(exchange!, events);
    wire.bring('12345');
    tunnel.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    tunnel.write(Buffer.from('HTTP/1.1 200 OK'));
    expect(records).toEqual([]);
    tunnel.destroy();
    await expect
      .poll(() => records)
      .toMatchObject([{ outcome: 'upgraded', status: 101, sentBytes: 51, receivedBytes: 5 }]);
  });
});

test('pipelined requests are told of in order', () => {
  const { wire, records } = open((exchange) => exchange.send('200 OK', [], exchange.head.target));
  wire.bring('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /22 HTTP/1.1\r\nHost: h\r\n\r\n');
  expect(records).toMatchObject([
    { target: '/1', sentBytes: 2 },
    { target: '/22', sentBytes: 3 },
  ]);
});

test('a subscriber that fails harms neither the connection nor the others', async () => {
  const { wire, records, server } = open((exchange) => exchange.send('200 OK', [], ''));
  const escaped = new Promise((resolve) => {
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const listener of before) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
  const broken = new Error('subscriber');
  const told: string[] = [];
  server.observers.onOver(() => {
    throw broken;
  });
  server.observers.onOver(({ outcome }) => told.push(outcome));
  wire.bring(get);
  expect(records).toHaveLength(1);
  expect(told).toEqual(['answered']);
  expect(await escaped).toBe(broken);
});
