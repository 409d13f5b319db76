/** A connection on a made-up wire: which requests it passes on, in which writes their answers go out, and how it ends. */

import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../../src/http/exchange.ts';
import { Connection } from '../../../src/http/h1/connection.ts';
import { defaultLimits, defaultTimeouts, departureMs } from '../../../src/http/limits.ts';
import { HttpServer } from '../../../src/http/server.ts';
import { MadeUpWire } from './made-up-wire.ts';

function open(handle: (exchange: Exchange) => void) {
  const wire = new MadeUpWire();
  const calls: string[] = [];
  const server = new HttpServer({
    limits: defaultLimits,
    timeouts: defaultTimeouts,
    handle(exchange) {
      calls.push(exchange.head.target);
      handle(exchange);
    },
    onFailure: () => {},
  });
  const connection = new Connection(server, undefined as never, { address: '', port: '' }, (_, events) => {
    wire.events = events;
    return wire;
  });
  return { wire, calls, connection, server };
}

const ask = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const answer = (exchange: Exchange) => exchange.send('200 OK', [['X-Target', exchange.head.target]], 'ok');

describe('pipelined requests', () => {
  test('that are answered at once share a write', () => {
    const { wire, calls } = open(answer);
    wire.bring(ask('/1') + ask('/2') + ask('/3'));
    expect(calls).toEqual(['/1', '/2', '/3']);
    expect(wire.written).toHaveLength(1);
    expect(wire.written[0]!.match(/X-Target: \/./g)).toEqual(['X-Target: /1', 'X-Target: /2', 'X-Target: /3']);
  });

  test('have their answers, also where the next answer cannot be read', () => {
    // The first time it is read for the head.
    let reads = 0;
    const body = Object.defineProperty(Buffer.from('body'), 'byteLength', {
      get() {
        if (++reads > 1) throw new Error('unreadable');
        return 4;
      },
    });
    const { wire } = open((exchange) => {
      try {
        if (exchange.head.target === '/1') answer(exchange);
        else exchange.send('200 OK', [], body);
      } catch (error) {
        exchange.fail(error);
      }
    });
    wire.bring(ask('/1') + ask('/2'));
    const statuses = wire.written.join('').match(/HTTP\/1\.1 \d+/g);
    expect(statuses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 500']);
  });

  test('wait for the answer to the one before', () => {
    const waiting: Exchange[] = [];
    const { wire, calls } = open((exchange) => waiting.push(exchange));
    wire.bring(ask('/1') + ask('/2'));
    wire.bring(ask('/3'));
    expect(calls).toEqual(['/1']);
    answer(waiting.shift()!);
    expect(calls).toEqual(['/1', '/2']);
    answer(waiting.shift()!);
    expect(calls).toEqual(['/1', '/2', '/3']);
  });

  test('wait for a client that has not taken the answers before', () => {
    const { wire, calls } = open((exchange) => {
      wire.isTaking = exchange.head.target !== '/2';
      exchange.send('200 OK', [], Buffer.from('bytes'));
    });
    wire.bring(ask('/1') + ask('/2') + ask('/3'));
    expect(calls).toEqual(['/1', '/2']);
    wire.drain();
    expect(calls).toEqual(['/1', '/2', '/3']);
  });

  test('behind the last one are not served', () => {
    const { wire, calls } = open(answer);
    wire.bring(ask('/1', 'Connection: close\r\n') + ask('/2'));
    expect(calls).toEqual(['/1']);
    expect(wire.ending).toBe('ended');
  });
});

describe('the end of a connection', () => {
  test('that was announced is at once, when the kernel has all of the answer', () => {
    const { wire } = open(answer);
    wire.bring(ask('/', 'Connection: close\r\n'));
    expect(wire.written).toHaveLength(1);
    expect(wire.ending).toBe('destroyed');
  });

  test('that was announced comes after the handler has returned', () => {
    let endings: unknown[] = [];
    const { wire } = open((exchange) => {
      answer(exchange);
      endings = [wire.ending, wire.written.length];
    });
    wire.bring(ask('/', 'Connection: close\r\n'));
    expect(endings).toEqual([undefined, 0]);
  });

  test('waits for the client’s own where more of it may come', () => {
    const { wire, connection } = open(answer);
    wire.bring('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n');
    expect(wire.ending).toBe('ended');
    expect(connection.phase).toBe('linger');
  });

  test('of which the app is told, when its client goes', async () => {
    let reason: Error | undefined;
    const { wire } = open((exchange) => exchange.onAbort((error) => (reason = error)));
    wire.bring(ask('/'));
    wire.destroy();
    await expect.poll(() => reason?.name).toBe('ClientGone');
  });
});

describe('a body', () => {
  test('comes with its head, and then a request behind it', () => {
    const bodies: string[] = [];
    const { wire, calls } = open((exchange) => {
      let body = '';
      exchange.readBody({
        onData(bytes) {
          body += bytes.toString();
          return true;
        },
        onEnd() {
          bodies.push(body);
          answer(exchange);
        },
      });
    });
    wire.bring(`POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${ask('/2')}`);
    expect(calls).toEqual(['/1', '/2']);
    expect(bodies).toEqual(['abc', '']);
  });

  test('that nobody reads is thrown away, and the next request served', () => {
    const { wire, calls, connection } = open(answer);
    wire.bring(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${ask('/2')}`);
    expect(calls).toEqual(['/1', '/2']);
    expect(connection.phase).toBe('idle');
  });
});

test('a request that breaks the rules is answered in order, and nothing behind it is read', () => {
  const { wire, calls } = open(answer);
  wire.bring(`${ask('/1')}GET / HTTP/1.1\r\nbad field\r\n\r\n${ask('/2')}`);
  expect(calls).toEqual(['/1']);
  expect(wire.written.join('').match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  expect(wire.ending).toBe('ended');
});

describe('a client that has left', () => {
  test('an upgraded connection is cut when it takes nothing for a second, counted from its end', () => {
    const { wire } = open((exchange) => {
      const nothing = () => {};
      const events = { takeBytes: nothing, takeEnd: nothing, takeDrain: nothing, takeFarewell: () => true };
      const { tunnel } = exchange.transport.takeOver!(exchange, events);
      wire.isTaking = false;
      tunnel.write(Buffer.from('what the client does not take'));
    });
    wire.bring(ask('/', 'Connection: upgrade\r\nUpgrade: x\r\n'));
    expect(wire.onStall).toBeUndefined();
    wire.events!.takeEnd();
    expect(wire.stallMs).toBe(departureMs);
    wire.onStall!();
    expect(wire.ending).toBe('cut');
  });

  test('an upgraded connection is cut even if the app goes on writing', () => {
    let write = () => {};
    const { wire } = open((exchange) => {
      const nothing = () => {};
      const events = { takeBytes: nothing, takeEnd: nothing, takeDrain: nothing, takeFarewell: () => true };
      const { tunnel } = exchange.transport.takeOver!(exchange, events);
      write = () => tunnel.write(Buffer.from('ping'));
    });
    wire.bring(ask('/', 'Connection: upgrade\r\nUpgrade: x\r\n'));
    wire.events!.takeEnd();
    wire.isTaking = false;
    write();
    write();
    expect(wire.stallMs).toBe(departureMs);
    wire.onStall!();
    expect(wire.ending).toBe('cut');
  });
});

describe('an answer of HTTP/1.0 without a length', () => {
  const begin = (exchange: Exchange) => {
    exchange.begin('200 OK', []);
    exchange.write('begun');
  };
  const get = (minor: number) => `GET / HTTP/1.${minor}\r\nHost: a\r\n\r\n`;

  test.each([
    [0, 'cut'],
    [1, undefined],
  ])('is cut with a reset if the process ends in its middle: HTTP/1.%i', (minor, ending) => {
    const { wire, connection } = open(begin);
    wire.bring(get(minor));
    connection.cutUnfinished();
    expect(wire.ending).toBe(ending);
  });

  test.each([
    [false, 'cut'],
    [true, 'destroyed'],
  ])('is cut with a reset if it is complete, but not all of it with the kernel: taken %s', (isTaking, ending) => {
    const { wire, connection } = open((exchange) => {
      begin(exchange);
      exchange.end();
    });
    wire.isTaking = isTaking;
    wire.bring(get(0));
    connection.cutUnfinished();
    expect(wire.ending).toBe(ending);
  });

  test.each([
    [0, 'cut'],
    [1, 'ended'],
  ])('is cut with a reset if its app ends with its client: HTTP/1.%i', (minor, ending) => {
    const { wire } = open((exchange) => {
      exchange.endsWithClient = true;
      begin(exchange);
    });
    wire.bring(get(minor));
    wire.events!.takeEnd();
    expect(wire.ending).toBe(ending);
  });

  // The exchange of a threaded worker's main thread knows no framing.
  test('is cut with a reset if the app destroys the connection', () => {
    const { wire } = open((exchange) => {
      begin(exchange);
      exchange.framing = 'none';
      exchange.transport.hangUp();
    });
    wire.bring(get(0));
    expect(wire.ending).toBe('cut');
  });
});

test('a large head is read in several turns of the loop, so that others have theirs', async () => {
  const { wire, calls } = open(answer);
  const { length } = wire.events!.nextBuffer();
  const head = `GET /1 HTTP/1.1\r\nHost: a\r\n${`X: ${'x'.repeat(1000)}\r\n`.repeat(90)}\r\n`;
  wire.bring(head.slice(0, length));
  expect(wire.isPaused).toBe(true);
  await new Promise(setImmediate);
  expect(wire.isPaused).toBe(false);
  wire.bring(head.slice(length));
  expect([calls, wire.isPaused]).toEqual([['/1'], false]);
});

test('of several large heads one is read on in each turn, in the order in which they came', async () => {
  const wires = Array.from({ length: 3 }, () => open(answer).wire);
  const head = `GET /1 HTTP/1.1\r\nHost: a\r\n${`X: ${'x'.repeat(1000)}\r\n`.repeat(90)}`;
  for (const wire of wires) wire.bring(head.slice(0, wire.events!.nextBuffer().length));
  const paused = [];
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    paused.push(wires.map((wire) => wire.isPaused));
  }
  expect(paused).toEqual([
    [false, true, true],
    [false, false, true],
    [false, false, false],
  ]);
});
