/** A client that closes its half while its request is being answered, where the app may answer it yet: wsgi and fetch. */

import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fetchHandler } from '../../src/app/fetch/fetch.ts';
import type { App } from '../../src/app/types.ts';
import { defaultTimeouts } from '../../src/http/limits.ts';
import { onTestFinished } from '../current.ts';
import { Client } from './client.ts';
import { type InProcess, openHandler, openInProcess } from './in-process.ts';

/** No other timeout ends anything here. */
const timeouts = { ...defaultTimeouts, bodyMs: 0 };

const interfaces: Record<
  string,
  (body: (tell: (what: string) => void) => AsyncGenerator<string>) => Promise<InProcess>
> = {
  wsgi: (body) => {
    const tell = (what: string) => void events.emit(what);
    const app: App = (_env, startResponse) => {
      startResponse('200 OK', []);
      return Object.assign(body(tell), { close: () => tell('closed') });
    };
    return openInProcess(app, { timeouts });
  },
  fetch: (body) => {
    const tell = (what: string) => void events.emit(what);
    const app = () => {
      const pieces = body(tell);
      const encoder = new TextEncoder();
      return new Response(
        new ReadableStream({
          async pull(controller) {
            const { done, value } = await pieces.next();
            if (done === true) controller.close();
            else controller.enqueue(encoder.encode(value));
          },
          cancel: () => tell('closed'),
        }),
      );
    };
    return openHandler(fetchHandler(app), { timeouts });
  },
};

let events = new EventEmitter();
const get = (version = '1.1') => `GET / HTTP/${version}\r\nHost: h\r\n\r\n`;

describe.each(Object.entries(interfaces))('a client of the %s interface that has closed its half', (_name, open) => {
  async function begin(body: (tell: (what: string) => void) => AsyncGenerator<string>) {
    events = new EventEmitter();
    const service = await open(body);
    onTestFinished(() => service.close());
    const client = await Client.open(service.port, service.host, true);
    return { ...service, client };
  }

  it('gets all that the app writes, as long as it is never silent for a second', async () => {
    const { client } = await begin(async function* () {
      for (let count = 0; count < 4; count++) {
        await sleep(700);
        yield `[${count}]`;
      }
    });
    client.socket.end(get());
    await client.closed;
    expect(client.received.match(/\[\d\]/g)).toEqual(['[0]', '[1]', '[2]', '[3]']);
    expect(client.received).toMatch(/\r\n0\r\n\r\n$/);
  });

  it('is not waited for when the app is silent: its body is closed, and the answer is seen to be incomplete', async () => {
    const { client, server, failures } = await begin(async function* (tell) {
      yield 'first';
      await sleep(300);
      yield 'second';
      tell('silent');
      await new Promise(() => {});
    });
    const closed = once(events, 'closed');
    client.socket.end(get());
    await closed;
    await client.closed;
    expect(client.received).toMatch(/first[\s\S]*second\r\n$/);
    await expect.poll(() => server.connectionCount).toBe(0);
    expect(failures).toEqual([]);
  });

  it('and speaks HTTP/1.0 is reset then: it would take the end of the connection for that of the body', async () => {
    const { client } = await begin(async function* () {
      yield 'begun';
      yield '.';
      await new Promise(() => {});
    });
    const error = once(client.socket, 'error');
    client.socket.end(get('1.0'));
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('gets all of a large body, however long it takes over it', async () => {
    const size = 4_000_000;
    const count = 12;
    const { client } = await begin(async function* () {
      for (let piece = 0; piece < count; piece++) yield 'x'.repeat(size);
    });
    let bytes = 0;
    let pausedAt = 0;
    client.socket.removeAllListeners('data').on('data', (piece) => {
      bytes += piece.length;
      if (bytes - pausedAt < 2 * size) return;
      pausedAt = bytes;
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 600);
    });
    client.socket.end(get());
    await client.closed;
    expect(bytes).toBeGreaterThan(size * count);
  });

  it('and takes nothing any more is cut', async () => {
    const { client, server } = await begin(async function* () {
      for (;;) yield 'x'.repeat(1_000_000);
    });
    const closed = once(events, 'closed');
    client.socket.pause();
    client.socket.end(get());
    await closed;
    await expect.poll(() => server.connectionCount, { timeout: 30_000 }).toBe(0);
  });

  it('keeps nobody from leaving', async () => {
    const { client, server } = await begin(async function* (tell) {
      yield 'begun';
      tell('begun');
      await new Promise(() => {});
    });
    const begun = once(events, 'begun');
    client.send(get());
    await begun;
    client.socket.end();
    await server.drain(60_000);
    await client.closed;
  });
});
