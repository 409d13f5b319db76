/** What handlers send beside the head and the body: it cannot split the answer, nor frame it. */

import type { ServerResponse } from 'node:http';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';

async function get(app: NodeListener, path = '/'): Promise<string> {
  const service = await openHandler(nodeHandler(app));
  onTestFinished(() => service.close());
  const client = await Client.open(service.port);
  return client.exchange(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
}

/** What the app is told, as the body of its answer. */
const saying = (action: (res: ServerResponse) => void): NodeListener => {
  return (_, res) => {
    try {
      action(res);
      res.end('sent');
    } catch (error) {
      res.end(String((error as NodeJS.ErrnoException).code ?? error));
    }
  };
};

const link = '</a.css>; rel=preload';

describe('early hints', () => {
  it.each<[string, Record<string, string | string[]>]>([
    ['a value', { link, 'X-A': 'a\r\nSet-Cookie: b=c' }],
    ['a value that is an answer', { link, 'X-A': 'a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' }],
    ['a value of a list', { link, 'X-A': ['a', 'b\r\nSet-Cookie: b=c'] }],
    ['a name', { link, 'X-A: a\r\nSet-Cookie': 'b=c' }],
    ['a link', { link: '</a.css\r\nSet-Cookie: b=c>; rel=preload' }],
    ['one of several links', { link: [link, '</a.css>;\r\nSet-Cookie: b=c; rel=preload'] }],
  ])('with a line end in %s are refused, and nothing of them is sent', async (_, hints) => {
    const answer = await get(saying((res) => res.writeEarlyHints(hints)));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nERR_(?:INVALID_(?:CHAR|HTTP_TOKEN|ARG_VALUE))$/);
    expect(answer).not.toContain('Set-Cookie');
  });

  it('pass on other fields, and leave out what frames an answer', async () => {
    const hints = {
      link: [link, '</b.js>; rel=preload'],
      'X-A': 'a',
      'Content-Length': '5',
      'Transfer-Encoding': 'chunked',
    };
    expect(await get(saying((res) => res.writeEarlyHints(hints)))).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload, <\/b\.js>; rel=preload\r\nX-A: a\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*sent$/,
    );
  });

  it('in the raw, as Node’s own code would write them, cannot split the answer either', async () => {
    const raw = (text: string) =>
      saying((res) => void (res as unknown as { _writeRaw(text: string): void })._writeRaw(text));
    for (const text of [
      'HTTP/1.1 103 Early Hints\r\nX-A: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nX-A: a\r\n',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
    ]) {
      const answer = await get(raw(text));
      expect(answer, text).toMatch(/^HTTP\/1\.1 200 OK\r\nDate/);
      expect(answer, text).not.toContain('X-A');
    }
  });

  it('of an Express app, and of one mounted in it, cannot split the answer', async () => {
    const app = express();
    const mounted = express();
    const hint: NodeListener = saying((res) => res.writeEarlyHints({ link, 'X-A': 'a\r\nSet-Cookie: b=c' }));
    app.use('/mounted', mounted);
    for (const each of [app, mounted]) each.get('/', hint);
    expect(await get(app)).toMatch(/\r\n\r\nERR_INVALID_CHAR$/);
    const answer = await get(app, '/mounted');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toContain('Set-Cookie');
  });
});

describe('trailers', () => {
  it('leave out what frames a message or belongs to the connection', async () => {
    const answer = await get((_, res) => {
      res.writeHead(200, { Trailer: 'X-T' });
      res.write('a');
      res.addTrailers({
        'Content-Length': '5',
        'Transfer-Encoding': 'gzip',
        Host: 'other',
        Connection: 'keep-alive',
        'X-T': 't',
      });
      res.end();
    });
    expect(answer).toMatch(/\r\n\r\n1\r\na\r\n0\r\nX-T: t\r\n\r\n$/);
  });
});

describe('an answer of 205', () => {
  it('has no content, whatever the handler writes', async () => {
    const whole = await get((_, res) => res.writeHead(205).end('no'));
    const pieces = await get((_, res) => {
      res.writeHead(205, { 'Content-Length': '2' });
      res.write('n');
      res.end('o');
    });
    for (const answer of [whole, pieces])
      expect(answer).toMatch(/^HTTP\/1\.1 205 .*\r\n[\s\S]*\r\nContent-Length: 0\r\n(?:.+\r\n)*\r\n$/);
  });
});
