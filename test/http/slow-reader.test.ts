/** A client that sends requests and does not read the answers: what of them is made, and that the rest comes later. */

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import type { Exchange } from '../../src/http/exchange.ts';
import { Trusted } from '../../src/http/forwarding/trust.ts';
import { HeldAnswers } from '../../src/http/held-answers.ts';
import { defaultLimits, defaultTimeouts } from '../../src/http/limits.ts';
import { HttpServer } from '../../src/http/server.ts';
import { onTestFinished } from '../current.ts';
import { Client } from './client.ts';
import { openInProcess } from './in-process.ts';

/** Together more than the kernel holds for one connection. */
const requests = 400;
const answerBytes = 100_000;

for (const [kind, bodyOf] of [
  ['text', (text: string) => text],
  ['bytes', (text: string) => Buffer.from(text)],
] as const) {
  it(`pipelined requests wait while their client takes no answers, and are then answered in order (${kind})`, async () => {
    let calls = 0;
    const target = await openInProcess((env, startResponse) => {
      if (env.PATH_INFO !== '/other') calls++;
      startResponse('200 OK', []);
      return [bodyOf(`answer to ${env.PATH_INFO}.`.padEnd(answerBytes))];
    });
    onTestFinished(() => target.close());

    const client = await Client.open(target.port);
    client.socket.pause();
    const ask = (index: number, more = '') => `GET /${index} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
    const texts = Array.from({ length: requests - 1 }, (_, index) => ask(index));
    client.send([...texts, ask(requests - 1, 'Connection: close\r\n')].join(''));
    // When another client has been served twice, the requests of the first have come, and would have been.
    for (let turn = 0; turn < 2; turn++) {
      const other = await Client.open(target.port);
      await other.exchange('GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    }
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(requests / 2);

    client.socket.resume();
    await client.closed;
    expect(calls).toBe(requests);
    const numbers = Array.from(client.received.matchAll(/answer to \/(\d+)\./g), ([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: requests }, (_, index) => index));
  });
}

it('a client that pipelines and never reads is cut, however short the answers', async () => {
  const body = 'x'.repeat(1000);
  const target = await openInProcess(
    (_env, startResponse) => {
      startResponse('200 OK', []);
      return [body];
    },
    { timeouts: { headerMs: 0, bodyMs: 200, keepAliveMs: 60_000, requestMs: 0 } },
  );
  onTestFinished(() => target.close());
  const client = await Client.open(target.port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(20_000));
  await expect.poll(() => target.server.connectionCount, { timeout: 20_000 }).toBe(0);
});

it('a client that takes nothing of its last answer is cut, and leaves nothing behind', async () => {
  const body = Buffer.alloc(30_000_000);
  const target = await openInProcess(
    (_env, startResponse) => {
      startResponse('200 OK', []);
      return [body];
    },
    { timeouts: { headerMs: 0, bodyMs: 200, keepAliveMs: 60_000, requestMs: 0 } },
  );
  onTestFinished(() => target.close());
  const client = await Client.open(target.port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  await expect.poll(() => target.server.accepted, { timeout: 20_000 }).toBe(1);
  await expect.poll(() => target.server.connectionCount, { timeout: 20_000 }).toBe(0);
});

it.each([0, 1024 * 1024])(
  'an app is done with what the server may hold for its client: %i bytes',
  async (heldAnswerBytes) => {
    const pieceBytes = 32 * 1024;
    let answering: Exchange | undefined;
    const server = new HttpServer({
      limits: defaultLimits,
      timeouts: defaultTimeouts,
      heldAnswerBytes,
      handle(exchange) {
        answering = exchange;
      },
      onFailure: () => {},
    });
    // Takes nothing, and stays. What a stream of Node's holds by default depends on the version.
    const client = new Duplex({ read() {}, write() {}, allowHalfOpen: true, writableHighWaterMark: pieceBytes });
    server.serve(client, { address: '', port: '' });
    client.push('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await expect.poll(() => answering).toBeDefined();
    answering!.begin('200 OK', []);
    let heldBytes = 0;
    do heldBytes += pieceBytes;
    while (answering!.write(Buffer.alloc(pieceBytes)));
    expect(heldBytes).toBe(Math.max(heldAnswerBytes, pieceBytes));
    client.destroy();
    expect(answering!.write(Buffer.alloc(pieceBytes)), 'to nobody').toBe(false);
    await server.drain(0);
  },
);

it.each(['HTTP/1.1', 'HTTP/2'])('over %s, all clients together may leave so much untaken', async (version) => {
  const pieceBytes = 32 * 1024;
  const heldAnswers = new HeldAnswers(4 * 1024 * 1024);
  const answering: Exchange[] = [];
  const server = new HttpServer({
    limits: defaultLimits,
    timeouts: defaultTimeouts,
    heldAnswers,
    http2: { knowing: new Trusted(['127.0.0.1']), withHttp1: true, onFlood: () => {} },
    handle: (exchange) => void answering.push(exchange),
    onFailure: () => {},
  });
  const listener = createServer({ allowHalfOpen: true }, (socket) =>
    server.serve(socket, { address: '127.0.0.1', port: '1' }),
  ).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const clients = Array.from({ length: 2 }, () => {
    if (version === 'HTTP/2') {
      const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => {});
      session.request({ ':path': '/' }).on('error', () => {});
      return session;
    }
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    return socket.pause();
  });
  await expect.poll(() => answering.length).toBe(2);
  for (const exchange of answering) exchange.begin('200 OK', []);
  // By turns, until nobody may hold more.
  const may = [true, true];
  for (let at = 0; may[0] || may[1]; at = 1 - at) if (may[at]) may[at] = answering[at]!.write(Buffer.alloc(pieceBytes));
  expect(heldAnswers.bytes).toBeGreaterThanOrEqual(4 * 1024 * 1024);
  expect(heldAnswers.bytes).toBeLessThan(4 * 1024 * 1024 + 4 * pieceBytes);
  for (const client of clients) client.destroy();
  await expect.poll(() => heldAnswers.bytes).toBe(0);
  server.destroy();
  await server.drain(0);
  listener.close();
});
