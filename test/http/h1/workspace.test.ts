/** What a connection borrows while it has something to do: who has it, and who gets it next. */

import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/http/exchange.ts';
import { Connection } from '../../../src/http/h1/connection.ts';
import { defaultLimits, defaultTimeouts } from '../../../src/http/limits.ts';
import { HttpServer } from '../../../src/http/server.ts';
import { MadeUpWire } from './made-up-wire.ts';

function serve(handle: (exchange: Exchange) => void = answer) {
  const server = new HttpServer({ limits: defaultLimits, timeouts: defaultTimeouts, handle, onFailure: () => {} });
  const lent: object[] = [];
  const { workspaces } = server;
  const lend = workspaces.lend.bind(workspaces);
  workspaces.lend = (user) => {
    const workspace = lend(user);
    lent.push(workspace);
    return workspace;
  };
  const open = () => {
    const wire = new MadeUpWire();
    const connection = new Connection(server, undefined as never, { address: '', port: '' }, (_, events) => {
      wire.events = events;
      return wire;
    });
    return { wire, connection };
  };
  /** How many there are. */
  const count = () => new Set(lent).size;
  return { open, count };
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const answer = (exchange: Exchange) => exchange.send('200 OK', [], 'ok');

test('idle connections have no workspace: one is enough for any number of connections, one after another', () => {
  const { open, count } = serve();
  const all = Array.from({ length: 5 }, open);
  expect(count()).toBe(0);
  for (let round = 0; round < 2; round++) for (const { wire } of all) wire.bring(request);
  expect(count()).toBe(1);
  for (const { wire } of all) expect(wire.written).toHaveLength(2);
});

test.each([
  ['a part of a head has come', 'GET / HT', 'TP/1.1\r\nHost: a\r\n\r\n'],
  ['a part of a body has come', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo', 'dy'],
  ['empty lines announce a request, which are counted', '\r\n', request],
])('a connection keeps its workspace while %s', (_, beginning, rest) => {
  const { open, count } = serve();
  const [one, other] = [open(), open()];
  one.wire.bring(beginning);
  other.wire.bring(request);
  one.wire.bring(rest);
  expect(count()).toBe(2);
  expect([one.wire.written.length, other.wire.written.length]).toEqual([1, 1]);
});

test('a connection keeps its workspace while its answer is under way', () => {
  const waiting: Exchange[] = [];
  const { open, count } = serve((exchange) => waiting.push(exchange));
  const [one, other] = [open(), open()];
  one.wire.bring(request);
  other.wire.bring(request);
  expect(count()).toBe(2);
  for (const exchange of waiting.toReversed()) exchange.send('200 OK', [], 'ok');
  one.wire.bring(request);
  answer(waiting.at(-1)!);
  expect(count()).toBe(2);
  expect(one.wire.written).toHaveLength(2);
});

test('a workspace in which a request broke the rules is never another connection\u2019s', () => {
  const { open, count } = serve();
  const one = open();
  one.wire.bring('GET\r\n\r\n');
  expect(one.wire.written[0]).toContain('400 Bad Request');
  one.connection.takeClose();
  const other = open();
  other.wire.bring(request);
  expect(count()).toBe(2);
  expect(other.wire.written[0]).toContain('200 OK');
});

test('a connection that has ended leaves its workspace to the next one', () => {
  const { open, count } = serve();
  for (let connections = 0; connections < 3; connections++) {
    const { wire, connection } = open();
    wire.bring('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    connection.takeClose();
  }
  expect(count()).toBe(1);
});

test.each(['close', 'keep-alive'])(
  'a connection (%s) that ends amid a write, as a stream in the same process may, keeps its workspace until then',
  (option) => {
    const { open, count } = serve();
    const [one, other] = [open(), open()];
    const write = one.wire.write.bind(one.wire);
    one.wire.write = (text) => {
      const isTaking = write(text);
      one.connection.takeClose();
      other.wire.bring(request);
      return isTaking;
    };
    one.wire.bring(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${option}\r\n\r\n`);
    expect(count()).toBe(2);
    expect([one.wire.written.length, other.wire.written.length]).toEqual([1, 1]);
  },
);

test('idle connections end without a workspace', () => {
  const { open, count } = serve();
  const all = Array.from({ length: 5 }, open);
  for (const { wire } of all) wire.bring(request);
  for (const { connection } of all.slice(0, 3)) connection.close();
  for (const { connection } of all.slice(3)) connection.takeEnd();
  expect(count()).toBe(1);
});
