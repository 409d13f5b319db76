/** Answers of a fetch app that are no `Response` of Node's. */

import { Readable } from 'node:stream';
import { Response as WhatwgResponse } from '@whatwg-node/node-fetch';
import NodeFetchResponse, { Response as NodeFetch, Headers as NodeFetchHeaders } from 'node-fetch';
import { Response as UndiciResponse } from 'undici';
import { describe, expect, it } from 'vitest';
import { type Fetch, fetchHandler } from '../../../src/app/fetch/fetch.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';

async function ask(response: () => unknown, method = 'GET') {
  const service = await openHandler(fetchHandler((async () => response()) as unknown as Fetch));
  onTestFinished(() => service.close());
  const client = await Client.open(service.port);
  const answer = await client.exchange(`${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  return { answer, failures: service.failures };
}

const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'];

function withCookies<R extends { headers: { append(name: string, value: string): void } }>(response: R): R {
  for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
  return response;
}

describe.each([
  ['undici', UndiciResponse],
  ['node-fetch', NodeFetch],
  ['@whatwg-node/node-fetch, as in GraphQL Yoga', WhatwgResponse],
])('a Response of %s', (_name, Class) => {
  const make = Class as unknown as typeof Response;

  it('is sent with its status, its fields and its text', async () => {
    const { answer } = await ask(() => withCookies(new make('häl', { status: 201, headers: { 'X-A': 'a' } })));
    const [head, body] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(head).toMatch(/x-a: a/i);
    expect(head).toMatch(/content-type: text\/plain;charset=utf-8/i);
    expect([...head!.matchAll(/^set-cookie: (.*?)\r?$/gim)].map(([, cookie]) => cookie)).toEqual(cookies);
    expect(Buffer.from(body!, 'latin1').toString()).toMatch(/^(?:4\r\n)?häl(?:\r\n0)?$/);
  });

  it('without a body has none', async () => {
    const { answer } = await ask(() => new make(null, { status: 204 }));
    expect(answer).toMatch(/^HTTP\/1\.1 204 [\s\S]*\r\n\r\n$/);
  });

  it('to HEAD has no body', async () => {
    const { answer, failures } = await ask(() => new make('text'), 'HEAD');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    expect(failures).toEqual([]);
  });
});

describe('a body', () => {
  const response = (body: unknown) => ({ status: 200, headers: { 'X-A': ['a', 'b'], 'X-C': 'c' }, body });

  it.each<[string, () => unknown]>([
    ['a text', () => 'hello'],
    ['bytes', () => Buffer.from('hello')],
    ['an array buffer', () => new Uint8Array(Buffer.from('hello')).buffer],
    ['a stream of Node', () => Readable.from([Buffer.from('hel'), Buffer.from('lo')])],
    [
      'a generator',
      async function* () {
        yield 'hello';
      },
    ],
  ])('may be %s', async (_what, body) => {
    const { answer } = await ask(() => response(body()));
    expect(answer).toMatch(/X-A: a\r\nX-A: b\r\nX-C: c\r\n/);
    expect(answer.replace(/^[0-9a-f]+\r\n|\r\n(?=0\r\n)/gm, '')).toMatch(/hel(?:\r\n)?lo/);
  });

  it('that can only be read as a whole is sent as a whole', async () => {
    const whole = new Response('hello');
    const { answer } = await ask(() => ({ ...response({}), arrayBuffer: () => whole.arrayBuffer() }));
    expect(answer).toMatch(/\r\n\r\nhello$/);
  });

  it('that is a stream of Node is destroyed when its client has gone', async () => {
    const body = new Readable({ read() {} });
    body.push('piece');
    const service = await openHandler(fetchHandler((() => response(body)) as unknown as Fetch));
    onTestFinished(() => service.close());
    const client = await Client.open(service.port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/piece/);
    const closed = new Promise((resolve) => body.once('error', () => {}).once('close', resolve));
    client.socket.resetAndDestroy();
    await closed;
    expect(service.failures).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', response(5), /a Response's body is a text, bytes or a stream, got number/],
    ['no Response at all', { status: '200', headers: {} }, /returns a Response, got an object/],
    ['a class', NodeFetchResponse, /returns a Response, got the function fetch/],
    ['headers alone', new NodeFetchHeaders(), /returns a Response, got an object of class Headers/],
  ])('that is %s is a failure of the app', async (_what, value, expected) => {
    const { answer, failures } = await ask(() => value);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(failures).toMatchObject([{ message: expect.stringMatching(expected) }]);
  });
});

describe('a head', () => {
  it('goes out when the handler has answered, ahead of the first piece', async () => {
    let give = (_piece: string) => {};
    let end = () => {};
    const body = new ReadableStream({
      start(controller) {
        give = (piece) => controller.enqueue(Buffer.from(piece));
        end = () => controller.close();
      },
    });
    const service = await openHandler(fetchHandler(() => new Response(body)));
    onTestFinished(() => service.close());
    const client = await Client.open(service.port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    give('data: 1\n\n');
    await client.until(/\r\ndata: 1\n\n\r\n$/);
    end();
    await client.until(/\r\n0\r\n\r\n$/);
  });

  it('whose stream fails after it cuts the connection', async () => {
    let fail = (_error: Error) => {};
    const body = new ReadableStream({
      start(controller) {
        fail = (error) => controller.error(error);
      },
    });
    const service = await openHandler(fetchHandler(() => new Response(body)));
    onTestFinished(() => service.close());
    const client = await Client.open(service.port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/200 OK/);
    fail(new Error('boom'));
    await client.closed;
    expect(client.received).not.toMatch(/0\r\n\r\n$/);
    expect(service.failures).toMatchObject([{ message: 'boom' }]);
  });
});
