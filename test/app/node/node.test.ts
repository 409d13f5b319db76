import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { NodeServer } from '../../../src/app/detect.ts';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { defaultTimeouts, type Timeouts } from '../../../src/http/limits.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { type InProcess, openHandler } from '../../http/in-process.ts';

async function open(app: NodeListener | NodeServer, timeouts: Partial<Timeouts> = {}): Promise<InProcess> {
  const service = await openHandler(nodeHandler(app), { timeouts: { ...defaultTimeouts, ...timeouts } });
  onTestFinished(() => service.close());
  return service;
}

/** Sends one request on a connection that is to be closed after it, and gives all that comes back. */
async function ask(app: NodeListener | NodeServer, request: string, fields = '', body = ''): Promise<string> {
  const { port } = await open(app);
  const client = await Client.open(port);
  return client.exchange(`${request} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields}\r\n${body}`);
}

const get = (app: NodeListener) => ask(app, 'GET /a/%62?q=1');
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

describe('a request', () => {
  it('says what was sent', async () => {
    const answer = await ask(
      (req, res) => {
        const { method, url, httpVersion, headers, rawHeaders, complete, socket } = req;
        const { remoteAddress, remoteFamily } = socket;
        res.end(
          JSON.stringify({ method, url, httpVersion, headers, rawHeaders, complete, remoteAddress, remoteFamily }),
        );
      },
      'GET /a/%62?q=1',
      'X-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\n',
    );
    expect(JSON.parse(bodyOf(answer))).toEqual({
      method: 'GET',
      url: '/a/%62?q=1',
      httpVersion: '1.1',
      headers: { host: 'h', connection: 'close', 'x-a': '1, 2', cookie: 'a=1; b=2' },
      rawHeaders: ['Host', 'h', 'Connection', 'close', 'X-A', '1', 'x-a', '2', 'Cookie', 'a=1', 'Cookie', 'b=2'],
      complete: true,
      remoteAddress: '127.0.0.1',
      remoteFamily: 'IPv4',
    });
  });

  it("and its answer have no names beyond Node's, which frameworks would find taken: Express has `res.status`", async () => {
    const names: string[][] = [];
    const app: NodeListener = (req, res) => {
      names.push([...Object.keys(req), ...Object.keys(res)].filter((name) => !name.startsWith('_')).sort());
      res.end();
    };
    await get(app);
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { headers: { Connection: 'close' } });
    server.close();
    await once(server, 'close');
    expect(names[0]).toEqual(names[1]);
  });

  it('has one socket for all requests of a connection, which closes with it', async () => {
    const sockets = new Set<unknown>();
    const closed = deferred();
    const { port } = await open((req, res) => {
      if (sockets.size === 0) req.socket.once('close', () => closed.resolve());
      sockets.add(req.socket);
      res.end();
    });
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/\r\n\r\n/);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await client.closed;
    await closed.promise;
    expect(sockets.size).toBe(1);
  });

  it('has no property that Node’s lacks, and neither have its response and socket', async () => {
    const kept: { req: IncomingMessage; res: ServerResponse }[] = [];
    const keep: NodeListener = (req, res) => {
      kept.push({ req, res });
      res.end();
    };
    const usual = createServer(keep).listen(0, '127.0.0.1');
    await once(usual, 'listening');
    await fetch(`http://127.0.0.1:${(usual.address() as AddressInfo).port}`);
    await get(keep);
    usual.closeAllConnections();
    await new Promise((resolve) => usual.close(resolve));
    const [nodes, ours] = kept;
    const added = (mine: object, theirs: object) => Object.keys(mine).filter((name) => !(name in theirs));
    expect(added(ours!.req, nodes!.req)).toEqual([]);
    expect(added(ours!.res, nodes!.res)).toEqual([]);
    expect(added(ours!.req.socket, nodes!.req.socket)).toEqual([]);
  });

  it.each<[string, (req: IncomingMessage) => Promise<string>]>([
    ['async iteration', async (req) => Buffer.concat(await req.toArray()).toString()],
    [
      'events',
      (req) =>
        new Promise((resolve) => {
          let all = '';
          req.on('data', (piece) => (all += piece)).on('end', () => resolve(all));
        }),
    ],
    [
      'a pipe',
      async (req) => {
        const pieces: Buffer[] = [];
        await pipeline(req, async (source) => {
          for await (const piece of source) pieces.push(piece);
        });
        return Buffer.concat(pieces).toString();
      },
    ],
    ['setEncoding', (req) => text(req.setEncoding('utf8'))],
  ])('is read by %s', async (_way, read) => {
    const app: NodeListener = async (req, res) => res.end(`${await read(req)} ${req.complete}`);
    const answer = await ask(
      app,
      'POST /',
      'Transfer-Encoding: chunked\r\n',
      '4\r\ngrö\r\n1\r\n.\r\n0\r\n\r\n'.replace('ö', 'Ã¶'),
    );
    expect(Buffer.from(bodyOf(answer), 'latin1').toString()).toBe('grö. true');
  });

  it('is asked for with 100 Continue when the app reads it, and not before', async () => {
    const reading = deferred();
    const { port } = await open(async (req, res) => {
      await reading.promise;
      res.end(await text(req));
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
    const other = await Client.open(port);
    other.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(client.received).toBe('');
    reading.resolve();
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    expect(await client.exchange('ok')).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
  });

  it.each<[string, (req: IncomingMessage, res: ServerResponse) => Promise<string>]>([
    [
      'by events',
      (req, res) =>
        new Promise((resolve) => {
          let body = '';
          req.on('data', (piece) => (body += piece)).on('end', () => resolve(body));
          res.end('accepted');
        }),
    ],
    [
      'by iteration',
      (req, res) => {
        res.end('accepted');
        return text(req);
      },
    ],
    [
      'by a pipe',
      (req, res) => {
        res.end('accepted');
        return text(req.pipe(new PassThrough()));
      },
    ],
  ])('is read on when it is answered already, %s, and then the next one follows', async (_way, read) => {
    const bodies: string[] = [];
    const answered = deferred();
    const done = deferred();
    const { port } = await open((req, res) => {
      if (req.method === 'GET') return void res.end(`[${bodies}]`);
      void read(req, res).then((body) => {
        bodies.push(body);
        done.resolve();
      });
      res.on('close', () => answered.resolve());
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
    await answered.promise;
    client.send('def');
    await done.promise;
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(
      /accepted[\s\S]*\[abcdef\]$/,
    );
  });

  it.each<[string, (req: IncomingMessage) => void]>([
    ['nobody reads', () => {}],
    ['was stopped', (req) => req.on('data', () => {}).pause()],
    ['was destroyed', (req) => req.on('data', () => {}).once('data', () => req.destroy())],
  ])('that %s is thrown away once it is answered', async (_what, begin) => {
    const { port } = await open((req, res) => {
      if (req.method === 'GET') return void res.end('next');
      begin(req);
      res.end('accepted');
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200003\r\n\r\n');
    await client.until(/accepted/);
    client.send('abc');
    expect(
      await client.exchange(`${'x'.repeat(200_000)}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`),
    ).toMatch(/next$/);
  });

  it('is broken off if the rest does not come after the answer', async () => {
    const told = deferred();
    const { port } = await open((req, res) => {
      req.on('data', () => res.end('accepted'));
      text(req).catch(() => told.resolve());
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
    await client.until(/accepted/);
    client.socket.destroy();
    await told.promise;
  });

  it('comes as fast as the app reads it', async () => {
    const paused = deferred();
    let heard = 0;
    const { port } = await open((req, res) => {
      req.on('data', (piece) => {
        if (heard === 0) {
          req.pause();
          paused.resolve();
        }
        heard += piece.length;
      });
      req.on('end', () => res.end(String(heard)));
      resume = () => req.resume();
    });
    let resume = () => {};
    const size = 50_000_000;
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    const isTaken = socket.write(Buffer.alloc(size));
    await paused.promise;
    // More than the kernel holds for two ends: what is left waits at the client.
    expect(isTaken).toBe(false);
    expect(socket.writableLength).toBeGreaterThan(0);
    resume();
    expect(await text(socket)).toMatch(new RegExp(`${size}$`));
  });
});

describe('an answer', () => {
  it.each<[string, NodeListener, RegExp]>([
    [
      'has the status and fields of writeHead',
      (_, res) => res.writeHead(201, 'Made', { 'X-A': 1, 'Set-Cookie': ['a', 'b'] }).end('x'),
      /^HTTP\/1\.1 201 Made\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n/,
    ],
    [
      'has fields given as a flat list',
      (_, res) => res.writeHead(200, ['X-A', '1', 'X-A', '2']).end(),
      /\r\nX-A: 1\r\nX-A: 2\r\n/,
    ],
    [
      'has fields that were set, appended and removed',
      (_, res) => {
        res.setHeader('X-A', 'a').setHeader('X-B', 'b').appendHeader('X-A', 'c').removeHeader('X-B');
        res.end(String(res.getHeader('x-a')));
      },
      /\r\nX-A: a\r\nX-A: c\r\n(?![\s\S]*X-B)[\s\S]*a,c$/,
    ],
    ['in one piece has its length', (_, res) => res.end('größe'), /\r\nContent-Length: 7\r\n/],
    [
      'in one piece after writeHead has its length',
      (_, res) => res.writeHead(200).end('abc'),
      /\r\nContent-Length: 3\r\n/,
    ],
    ['without a body has the length 0', (_, res) => res.end(), /\r\nContent-Length: 0\r\n/],
    [
      'in several pieces comes in chunks',
      (_, res) => {
        res.write('a');
        res.end('b');
      },
      /\r\nTransfer-Encoding: chunked\r\n[\s\S]*1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/,
    ],
    ['takes any encoding', (_, res) => res.end('6869', 'hex'), /\r\n\r\nhi$/],
    [
      'has trailers',
      (_, res) => {
        res.writeHead(200, { Trailer: 'X-T' });
        res.write('a');
        res.addTrailers({ 'X-T': 't' });
        res.end();
      },
      /\r\nTrailer: X-T\r\n[\s\S]*\r\n0\r\nX-T: t\r\n\r\n$/,
    ],
    [
      'may be without a Date',
      (_, res) => {
        res.sendDate = false;
        res.end();
      },
      /^(?![\s\S]*Date:)/,
    ],
    ['of 204 has no body', (_, res) => res.writeHead(204).end('no'), /^(?![\s\S]*Content-Length)[\s\S]*\r\n\r\n$/],
    ['of 304 has no body', (_, res) => res.writeHead(304, { ETag: '"a"' }).end('no'), /ETag: "a"\r\n[\s\S]*\r\n\r\n$/],
    [
      'may be preceded by early hints',
      (_, res) => {
        res.writeEarlyHints({ link: '</a.css>; rel=preload' });
        res.end();
      },
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    ],
    [
      'may be preceded by 102 Processing',
      (_, res) => {
        res.writeProcessing();
        res.end();
      },
      /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    ],
    [
      "may say what belongs to the connection: that is the server's",
      (_, res) =>
        res
          .writeHead(200, { Connection: 'keep-alive', 'Keep-Alive': 'timeout=5', 'Transfer-Encoding': 'chunked' })
          .end('a'),
      /^(?![\s\S]*(?:keep-alive|Keep-Alive|Transfer-Encoding))[\s\S]*Connection: close\r\n\r\na$/,
    ],
  ])('%s', async (_what, app, expected) => {
    expect(await get(app)).toMatch(expected);
  });

  it('has its fields checked each time, in each form, even if the last value was good', async () => {
    const forms = [
      (value: string) => ({ 'X-Checked': value }),
      (value: string) => ['X-Checked', value],
      (value: string) => [['X-Checked', value]],
    ];
    for (const form of forms) {
      const app = (value: string): NodeListener => {
        return (_, res) => {
          try {
            res.writeHead(200, form(value) as never).end();
          } catch (error) {
            res.end((error as NodeJS.ErrnoException).code);
          }
        };
      };
      expect(await get(app('good'))).toContain('\r\nX-Checked: good\r\n');
      expect(await get(app('good'))).toContain('\r\nX-Checked: good\r\n');
      expect(await get(app('a\r\nSet-Cookie: b=c'))).toMatch(/\r\n\r\nERR_INVALID_CHAR$/);
    }
  });

  it('to HEAD has the length, and no body', async () => {
    const answer = await ask((_, res) => res.writeHead(200, { 'Content-Length': 5 }).end('hello'), 'HEAD /');
    expect(answer).toMatch(/Content-Length: 5\r\n[\s\S]*\r\n\r\n$/);
  });

  it('begins with flushHeaders', async () => {
    const { port } = await open((_, res) => {
      res.setHeader('X-A', 'a').flushHeaders();
      end = () => res.end('late');
    });
    let end = () => {};
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await client.until(/X-A: a\r\n[\s\S]*\r\n\r\n$/);
    end();
    await client.until(/late\r\n0\r\n\r\n$/);
  });

  it('has the states and events of a stream, as in node:http', async () => {
    const watch = () => {
      const seen: unknown[] = [];
      const done = deferred();
      const app: NodeListener = (_, res) => {
        for (const event of ['prefinish', 'finish', 'close']) res.on(event, () => seen.push(event));
        res.on('close', () => done.resolve());
        seen.push(res.headersSent, res.writableEnded);
        res.write('a', () => seen.push('written'));
        seen.push(res.headersSent);
        res.end('b', () => seen.push('ended'));
        seen.push(res.writableEnded);
      };
      return { seen, done, app };
    };
    const ours = watch();
    await get(ours.app);
    await ours.done.promise;
    const nodes = watch();
    const server = createServer(nodes.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { headers: { Connection: 'close' } });
    await nodes.done.promise;
    server.close();
    await once(server, 'close');
    expect(ours.seen).toEqual(nodes.seen);
  });

  it('waits for a slow client: write returns false, and drain follows', async () => {
    let drains = 0;
    const { port } = await open(async (_, res) => {
      const piece = Buffer.alloc(1_000_000);
      for (let count = 0; count < 30; count++)
        if (!res.write(piece)) {
          await once(res, 'drain');
          drains++;
          expect(res.writableNeedDrain).toBe(false);
        }
      res.end();
    });
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    let bytes = 0;
    for await (const piece of socket) bytes += piece.length;
    expect(bytes).toBeGreaterThan(30_000_000);
    expect(drains).toBeGreaterThan(5);
  });

  it('is piped to', async () => {
    const pieces = Array.from({ length: 200 }, (_, index) => Buffer.alloc(50_000, index));
    const answer = await get((_, res) =>
      pipeline(Readable.from(pieces), res.writeHead(200, { 'Content-Length': 10_000_000 })),
    );
    expect(Buffer.from(bodyOf(answer), 'latin1').equals(Buffer.concat(pieces))).toBe(true);
  });

  it.each([
    ['cut once it has begun', true],
    ['a 500 while none of it is out', false],
  ])('longer than its Content-Length is %s', async (_what, isOut) => {
    const service = await open(async (_, res) => {
      res.writeHead(200, { 'Content-Length': 3 });
      res.write('ab');
      if (isOut) await new Promise((resolve) => setImmediate(resolve));
      res.end('cde');
    });
    const client = await Client.open(service.port);
    await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(client.received).not.toContain('cde');
    expect(client.received).toMatch(isOut ? /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nab$/ : /^HTTP\/1\.1 500 /);
    expect(service.failures).toMatchObject([{ name: 'AppError' }]);
  });

  it('calls back for an empty piece when that is sent, not at the end', async () => {
    const written = deferred();
    const { port } = await open((_, res) => {
      res.write('', () => written.resolve());
      void written.promise.then(() => res.end('x'));
    });
    const client = await Client.open(port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(/x\r\n0\r\n\r\n$/);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['end', (socket) => socket.end()],
    ['destroySoon', (socket) => socket.destroySoon()],
    ['destroy', (socket) => socket.destroy()],
    ['resetAndDestroy', (socket) => socket.resetAndDestroy()],
  ])('that is complete comes to the client, whatever becomes of the socket then: %s', async (_what, finish) => {
    const { port } = await open((_, res) => {
      const { socket } = res;
      res.end('whole');
      finish(socket!);
    });
    const client = await Client.open(port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(/\r\n\r\nwhole$/);
  });

  it('that is complete has no timeout any more', async () => {
    const { port } = await open((req, res) => {
      const { timeout } = req.socket;
      res.setTimeout(40_000);
      res.end(`[${timeout} ${req.socket.timeout}]`);
    });
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/\[0 40000\]$/);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/\]HTTP[\s\S]*\[0 40000\]$/);
  });

  it('that is complete is followed by the next request on the connection', async () => {
    const { port } = await open((req, res) => void setImmediate(() => res.end(`[${req.url}]`)));
    const client = await Client.open(port);
    const requests = ['/1', '/2', '/3'].map((url) => `GET ${url} HTTP/1.1\r\nHost: h\r\n\r\n`);
    client.send(requests.join(''));
    await client.until(/\[\/1\][\s\S]*\[\/2\][\s\S]*\[\/3\]$/);
  });
});

it('requests on one connection have each their async context', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { port } = await open((req, res) => {
    const before = storage.getStore();
    storage.run(req.url!, () => setImmediate(() => res.end(`[${before} ${storage.getStore()}]`)));
  });
  const client = await Client.open(port);
  client.send('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect(await client.exchange('')).toMatch(/\[undefined \/1\][\s\S]*\[undefined \/2\]$/);
});

it('a pipelined request does not see what the one before it has entered, though that is answered at once', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { port } = await open((req, res) => {
    const before = storage.getStore();
    storage.enterWith(req.url!);
    res.end(`[${before}]`);
  });
  const client = await Client.open(port);
  const requests = [1, 2, 3].map((number) => `GET /${number} HTTP/1.1\r\nHost: h\r\n\r\n`);
  client.send(requests.join(''));
  const answers = await client.until(/\[(.*)\][\s\S]*\[(.*)\][\s\S]*\[(.*)\]$/);
  expect(answers.slice(1)).toEqual(['undefined', 'undefined', 'undefined']);
});

it('a request does not see what the one before it has entered', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { port } = await open((req, res) => {
    const before = storage.getStore();
    storage.enterWith(req.url!);
    res.end(`[${before}]`);
  });
  const client = await Client.open(port);
  for (const url of ['/1', '/2', '/3']) {
    client.received = '';
    client.send(`GET ${url} HTTP/1.1\r\nHost: h\r\n\r\n`);
    expect((await client.until(/\[(.*)\]$/))[1]).toBe('undefined');
  }
});

describe('failures', () => {
  it.each<[string, NodeListener]>([
    [
      'thrown',
      () => {
        throw new Error('boom');
      },
    ],
    [
      'of an async handler',
      async () => {
        throw new Error('boom');
      },
    ],
  ])('%s before the answer are a 500, and logged', async (_what, app) => {
    const service = await open(app);
    const client = await Client.open(service.port);
    const answer = await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).not.toContain('boom');
    expect(service.failures).toMatchObject([{ message: 'boom' }]);
  });

  it('after the answer has begun cut the connection', async () => {
    const service = await open(async (_, res) => {
      res.writeHead(200, { 'Content-Length': 10 });
      res.write('12345');
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('boom');
    });
    const client = await Client.open(service.port);
    await client.exchange('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(service.failures).toHaveLength(1);
  });

  it.each<[string, (req: IncomingMessage, res: ServerResponse) => void]>([
    ['req.destroy()', (req) => void req.destroy()],
    ['res.destroy()', (_, res) => void res.destroy()],
    ['req.socket.destroy()', (req) => void req.socket.destroy()],
  ])('%s ends the connection', async (_what, app) => {
    const { port } = await open(app);
    const client = await Client.open(port);
    expect(await client.exchange('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n')).toBe('');
  });

  it('req.destroy() costs none of the answers to requests that were sent before, and closes the response', async () => {
    const closed = deferred();
    const { port } = await open((req, res) => {
      if (req.url === '/whole') return void res.end('whole');
      res.on('close', () => closed.resolve());
      res.write('begun');
      setImmediate(() => req.socket.destroy());
    });
    const client = await Client.open(port);
    const answers = await client.exchange(
      'GET /whole HTTP/1.1\r\nHost: h\r\n\r\nPOST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc',
    );
    await closed.promise;
    expect(answers).toMatch(/whole[\s\S]*5\r\nbegun\r\n$/);
  });

  it('of a server without a listener are a 500', async () => {
    expect(await ask(createServer(), 'GET /')).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('end the response too: what is written later goes nowhere', async () => {
    const closed = deferred();
    const service = await open((_, res) => {
      res.on('close', () => {
        res.end('late');
        closed.resolve();
      });
      throw new Error('boom');
    });
    const client = await Client.open(service.port);
    const answer = await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await closed.promise;
    expect(answer).not.toContain('late');
    expect(service.failures).toHaveLength(1);
  });

  it('a request over its time has a timeout event, and then a 504 that closes it', async () => {
    const seen: string[] = [];
    const closed = deferred();
    const service = await open(
      (_, res) => {
        res.on('timeout', () => seen.push('timeout'));
        res.on('close', () => {
          seen.push('close');
          closed.resolve();
        });
      },
      { requestMs: 100 },
    );
    const client = await Client.open(service.port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(/^HTTP\/1\.1 504 /);
    await closed.promise;
    expect(seen).toEqual(['timeout', 'close']);
  });

  it('res.setTimeout tells of an answer that does not come', async () => {
    const answer = await get((_, res) => void res.setTimeout(20, () => res.writeHead(503).end('late')));
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  });
});

describe('a client that leaves', () => {
  it('is reported by the events aborted and close', async () => {
    const seen: string[] = [];
    const started = deferred();
    const closed = deferred();
    const { port } = await open((req, res) => {
      req.on('aborted', () => seen.push('req aborted')).on('close', () => seen.push('req close'));
      res
        .on('finish', () => seen.push('res finish'))
        .on('close', () => {
          seen.push(`res close ${res.writableEnded}`);
          closed.resolve();
        });
      started.resolve();
    });
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await started.promise;
    client.socket.resetAndDestroy();
    await closed.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.sort()).toEqual(['req aborted', 'req close', 'res close false']);
  });
});

describe('an http.Server', () => {
  it('is served by its listeners, and never listens', async () => {
    const server = createServer((_, res) => res.end('by its listener'));
    expect(await ask(server, 'GET /')).toMatch(/by its listener$/);
    expect(server.listening).toBe(false);
  });

  it('whose emit was replaced sees each request', async () => {
    const seen: unknown[] = [];
    const server = createServer((_, res) => res.end('traced'));
    server.emit = (event: string, ...args: unknown[]) => {
      seen.push(event);
      return EventEmitter.prototype.emit.call(server, event, ...args);
    };
    expect(await ask(server, 'GET /')).toMatch(/traced$/);
    expect(seen).toEqual(['request']);
  });

  it('decides about 100 Continue with checkContinue', async () => {
    const server = createServer();
    server.on('checkContinue', (_, res) => res.writeHead(417).end('no'));
    const answer = await ask(server, 'POST /', 'Content-Length: 2\r\nExpect: 100-continue\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 417 /);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

it('a request with a large head does not see what one of another connection has entered', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { port } = await open((req, res) => {
    const before = storage.getStore();
    if (req.url === '/enter') storage.enterWith('of another');
    res.end(`[${req.url} ${before}]`);
  });
  // Longer than a read: such heads take turns.
  const large = `Host: h\r\n${`X: ${'x'.repeat(8000)}\r\n`.repeat(40)}\r\n`;
  const [one, other] = [await Client.open(port), await Client.open(port)];
  one.send('GET /enter HTTP/1.1\r\nHost: h\r\n\r\n');
  await one.until(/\[\/enter undefined\]$/);
  one.send(`GET /one HTTP/1.1\r\n${large}`);
  other.send(`GET /other HTTP/1.1\r\n${large}`);
  await one.until(/\[\/one .*\]$/);
  expect((await other.until(/\[\/other (.*)\]$/))[1]).toBe('undefined');
});
