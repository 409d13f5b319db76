/** Handlers that stop reading a request's body, and answer: the answer comes. */

import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import Koa from 'koa';
import rawBody from 'raw-body';
import { describe, expect, it } from 'vitest';
import type { NodeListener } from '../../../src/app/node/node.ts';
import { Client } from '../../http/client.ts';
import { sideBySide } from './side-by-side.ts';

const ways: Record<string, NodeListener> = {
  'break in a for await': async (req, res) => {
    for await (const _ of req) break;
    res.end('answer');
  },
  'break, and an answer later': async (req, res) => {
    for await (const _ of req) break;
    await sleep(20);
    res.write('ans');
    await sleep(20);
    res.end('wer');
  },
  'throw in a for await': async (req, res) => {
    try {
      for await (const _ of req) throw new Error('too much');
    } catch {
      res.writeHead(413).end('answer');
    }
  },
  'a pipeline that fails': async (req, res) => {
    const failing = new Writable({ write: (_piece, _encoding, done) => done(new Error('full')) });
    await pipeline(req, failing).catch(() => res.writeHead(507).end('answer'));
  },
  'req.take(1)': async (req, res) => {
    const [piece] = await req.take(1).toArray();
    res.end((piece as Buffer).length > 0 ? 'answer' : '');
  },
  'a web stream that is cancelled': async (req, res) => {
    const reader = Readable.toWeb(req).getReader();
    await reader.read();
    await reader.cancel();
    res.end('answer');
  },
  'a pause, once it is too much': (req, res) => {
    req.on('data', () => {
      req.pause().removeAllListeners('data');
      res.writeHead(413).end('answer');
    });
  },
};

/** Status lines and bodies, however they were framed. */
function answersOf(received: string): string[] {
  return received.split(/(?=HTTP\/1\.1 )/).map((answer) => {
    const [head = '', ...rest] = answer.split('\r\n\r\n');
    const body = rest.join('\r\n\r\n');
    const isChunked = /^Transfer-Encoding: chunked/im.test(head);
    return `${head.slice(0, head.indexOf('\r\n'))}: ${isChunked ? body.replace(/[0-9a-f]+\r\n(.*)\r\n/g, '$1') : body}`;
  });
}

describe.each(Object.entries(ways))('after %s', (_way, handler) => {
  it.each([
    [10, false],
    [100_000, false],
    [100_000, true],
    [5_000_000, false],
    [5_000_000, true],
  ])('an upload of %d bytes is answered, as by node:http (chunked: %s)', async (size, isChunked) => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const client = await Client.open(await serve(handler));
      const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`;
      client.send(`POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${framing}\r\n\r\n`);
      const body = 'x'.repeat(size);
      await client.exchange(isChunked ? `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body);
      return answersOf(client.received);
    });
    expect(ours).toHaveLength(1);
    // It resets an upload that goes on for longer.
    if (size < 1_000_000) expect(ours).toEqual(nodes);
    expect(ours[0]).toMatch(/^HTTP\/1\.1 (?:200|413|507) .*: answer\s*$/);
  });
});

it('an unread rest that is small is no part of the next request', async () => {
  const [nodes, ours] = await sideBySide(async (serve) => {
    const port = await serve(async (req, res) => {
      for await (const _ of req) break;
      res.end(req.method);
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\nabc');
    await client.until(/POST$/);
    const rest = 'GET /rest HTTP/1.1\r\n\r\n'.padEnd(50_000 - 3, 'x');
    return answersOf(await client.exchange(`${rest}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`));
  });
  expect(ours).toEqual(nodes);
  expect(ours).toHaveLength(2);
});

describe("the frameworks' own 413", () => {
  const apps: [string, () => NodeListener][] = [
    [
      'Express',
      () => {
        const app = express().use(express.json({ limit: 1000 }));
        app.set('env', 'test');
        return app as NodeListener;
      },
    ],
    [
      'Koa',
      () => {
        const app = new Koa();
        app.silent = true;
        app.use(async (context) => {
          const length = context.req.headers['content-length'];
          context.body = await rawBody(context.req, { limit: 1000, ...(length === undefined ? {} : { length }) });
        });
        return app.callback();
      },
    ],
  ];
  it.each(apps.flatMap(([name, make]) => [false, true].map((isChunked) => [name, isChunked, make] as const)))(
    'of %s comes (chunked: %s)',
    async (_name, isChunked, make) => {
      const [nodes, ours] = await sideBySide(async (serve) => {
        const client = await Client.open(await serve(make()));
        const framing = isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 200000';
        const body = 'x'.repeat(200_000);
        const answer = await client.exchange(
          `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n${framing}\r\n\r\n` +
            (isChunked ? `30d40\r\n${body}\r\n0\r\n\r\n` : body),
        );
        return answersOf(answer);
      });
      expect(ours[0]).toMatch(/^HTTP\/1\.1 413 /);
      expect(ours[0]).toBe(nodes[0]);
    },
  );
});
