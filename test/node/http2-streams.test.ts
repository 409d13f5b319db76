/** Whether this Node makes no stream of a request of HTTP/2 until somebody needs it: see `src/node/http2-streams.ts`. */

import { once } from 'node:events';
import * as http2 from 'node:http2';
import { type ClientHttp2Session, connect, createServer as createHttp2, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { answerWhole } from '../../src/node/http2-handle.ts';
import { type OpenedStream, openedStream, spareStreams } from '../../src/node/http2-streams.ts';
import { onTestFinished } from '../current.ts';

const { performServerHandshake } = http2 as unknown as {
  performServerHandshake(socket: Socket): ServerHttp2Session;
};

/** Owners that only note what they hear. */
function watched(stream: OpenedStream): string[] {
  const heard: string[] = [];
  stream.owner = { takeMade: () => heard.push('made'), takeClose: () => heard.push(`closed ${stream.errorCode}`) };
  return heard;
}

async function serve(take: (stream: OpenedStream, session: ServerHttp2Session) => void): Promise<ClientHttp2Session> {
  const listener = createServer((socket) => {
    const session = performServerHandshake(socket);
    session.on('error', () => {});
    spareStreams(session);
    session.on('stream', (stream: object) => take(openedStream(stream), session));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`).on('error', () => {});
  onTestFinished(() => {
    client.destroy();
    listener.close();
  });
  return client;
}

const pong = (client: ClientHttp2Session) => new Promise<void>((resolve) => client.ping(() => resolve()));
const answer = (stream: OpenedStream, body?: string) =>
  answerWhole(stream.handle, ':status\x00200\0\0', 1, body, body?.length ?? 0, { takeWhole() {} });
const ask = (client: ClientHttp2Session, fields: Record<string, string> = {}) =>
  client.request({ ':path': '/', ...fields });

describe(`Node ${process.version}`, () => {
  it('lets Node make the first stream of the process, and learns from it', async () => {
    const client = await serve((stream) => stream.make().respond({}, { endStream: true }));
    expect((await once(ask(client), 'response'))[0]).toMatchObject({ ':status': 200 });
  });

  it('makes no stream for an answer in one piece, nor for one without a body', async () => {
    const seen: [OpenedStream, string[]][] = [];
    const client = await serve((stream) => {
      seen.push([stream, watched(stream)]);
      expect(answer(stream, seen.length === 1 ? 'hello' : undefined)).toBe(true);
    });
    expect(await text(ask(client))).toBe('hello');
    expect(await text(ask(client))).toBe('');
    await text(ask(client));
    expect(seen.slice(0, 2).map(([{ made, isOver }, heard]) => [made, isOver, heard])).toEqual([
      [undefined, true, ['closed 0']],
      [undefined, true, ['closed 0']],
    ]);
  });

  it('makes a stream when it is needed: for a body both ways, trailers, and HEAD', async () => {
    const seen: string[][] = [];
    const client = await serve((stream) => {
      seen.push(watched(stream));
      const made = stream.make();
      expect(stream.make()).toBe(made);
      made.respond({ ':status': 200 }, { waitForTrailers: true });
      made.on('wantTrailers', () => made.sendTrailers({ a: 'b' }));
      // Node ends the answer to HEAD by itself.
      if (made.writable) made.pipe(made);
    });
    const get = ask(client);
    const trailers = once(get, 'trailers');
    expect(await text(get)).toBe('');
    expect((await trailers)[0]).toMatchObject({ a: 'b' });
    const post = ask(client, { ':method': 'POST' });
    post.end('body');
    expect(await text(post)).toBe('body');
    const head = ask(client, { ':method': 'HEAD' });
    expect((await once(head, 'response'))[0]).toMatchObject({ ':status': 200 });
    expect(seen[0]).toEqual(['made']);
  });

  it('tells of a stream that its client resets, before and after it is made', async () => {
    const opened: OpenedStream[] = [];
    const heard: string[][] = [];
    const client = await serve((stream) => {
      opened.push(stream);
      heard.push(watched(stream));
      if (opened.length === 2) stream.make();
      if (opened.length === 3) answer(stream);
    });
    const resets = [ask(client), ask(client)].map((stream) => stream.on('error', () => {}));
    await once(client, 'remoteSettings');
    await pong(client);
    for (const each of resets) each.close(http2.constants.NGHTTP2_CANCEL);
    await text(ask(client));
    expect(opened.slice(0, 2).map(({ isOver, errorCode }) => [isOver, errorCode])).toEqual([
      [true, 8],
      [true, 8],
    ]);
    expect(heard.slice(0, 2)).toEqual([['closed 8'], ['made']]);
  });

  it('closes a session when its last stream is answered, and tells all streams when it is destroyed', async () => {
    const heard: string[][] = [];
    const client = await serve(async (stream, session) => {
      heard.push(watched(stream));
      session.close();
      await new Promise((resolve) => setImmediate(resolve));
      expect(session.destroyed).toBe(false);
      answer(stream, 'last');
    });
    const isClosed = once(client, 'close');
    expect(await text(ask(client))).toBe('last');
    await isClosed;
    const other = await serve((stream, session) => {
      heard.push(watched(stream));
      session.destroy();
    });
    await once(
      ask(other).on('error', () => {}),
      'close',
    );
    expect(heard).toEqual([['closed 0'], ['closed 0']]);
  });

  it('leaves sessions of others alone', async () => {
    const server = createHttp2((request, response) => {
      response.end(request.stream.constructor.name);
    }).listen(0);
    await once(server, 'listening');
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await text(ask(client))).toBe('ServerHttp2Stream');
    client.close();
    server.close();
  });
});
