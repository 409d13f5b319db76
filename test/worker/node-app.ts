/** A Node handler with a route per thing that may go wrong with an answer, for every worker class. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

type Route = (req: IncomingMessage, res: ServerResponse) => unknown;

/** 64 MB, which no buffers on the way can hold. */
function* large(): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024, 'x');
  for (let count = 0; count < 1024; count++) yield piece;
}

const megabytes = Buffer.alloc(4_000_000, 'x');

const say = (line: string) => process.stderr.write(`${line}\n`);

const routes: Record<string, Route> = {
  '/download': async (req, res) => {
    res.on('close', () => setImmediate(say, `download over: ${res.writableFinished}`));
    await pipeline(Readable.from(large()), res).catch((cause: unknown) => {
      throw req.headers['x-wrap'] === undefined ? cause : new Error('the download failed', { cause });
    });
  },
  '/upload': async (req, res) => {
    say('upload begun');
    res.on('close', () => setImmediate(say, 'upload over'));
    let bytes = 0;
    for await (const piece of req) bytes += (piece as Buffer).length;
    res.end(String(bytes));
  },
  '/large': (req, res) => {
    const tag = req.url!.slice('/large?'.length);
    for (const event of ['finish', 'close'])
      res.on(event, () => say(`${tag} ${event}, finished: ${res.writableFinished}, left: ${res.writableLength}`));
    for (let count = 1; count <= 5; count++)
      res.write(megabytes, (error) => say(`${tag} ${count} ${error?.name ?? ''}`));
    if (req.method === 'GET') res.end(megabytes);
    else res.end();
    say(`${tag} ended, outstanding: ${res.writableLength > 1_000_000}`);
  },
  '/small': (_req, res) => res.end('small'),
  '/break': async (req, res) => {
    for await (const _ of req) break;
    res.end('answered');
  },
  '/throw': async (req, res) => {
    try {
      for await (const _ of req) throw new Error('too much');
    } catch {
      res.end('answered');
    }
  },
  '/pipeline': async (req, res) => {
    await pipeline(req, new Writable({ write: (_piece, _encoding, done) => done(new Error('full')) })).catch(() => {});
    res.end('answered');
  },
  '/take': async (req, res) => {
    await req.take(1).toArray();
    res.end('answered');
  },
};

export default function app(req: IncomingMessage, res: ServerResponse): unknown {
  const route = routes[req.url!.replace(/\?.*/, '')];
  return route === undefined ? res.writeHead(404).end() : route(req, res);
}
