/** A client that closes its half while its request is being answered: what a Node app sees of it, beside `node:http`. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough, pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { NodeServer } from '../../../src/app/detect.ts';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { defaultTimeouts } from '../../../src/http/limits.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';

/** The one that Express has, and morgan, and others that log. */
const onFinished = createRequire(createRequire(import.meta.url).resolve('express'))('on-finished') as (
  response: ServerResponse,
  listener: (error: Error | null, response: ServerResponse) => void,
) => void;

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello';

type Say = (what: string, ...values: unknown[]) => void;
type Watched = (request: IncomingMessage, response: ServerResponse, say: Say) => unknown;

/** The port of an app behind `node:http`, and behind this engine. */
const servers = {
  async node(app: RequestListener): Promise<number> {
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  },
  async tsgun(app: NodeListener | NodeServer): Promise<number> {
    const service = await openHandler(nodeHandler(app));
    onTestFinished(() => service.close());
    return service.port;
  },
};

/** All that an app sees, and what its client gets, from a client that ends its half once the app was called. */
async function watch(open: (app: NodeListener) => Promise<number>, app: Watched, request: string): Promise<string[]> {
  const seen: string[] = [];
  const called = deferred();
  const port = await open((req, res) => {
    const { socket } = req;
    const say: Say = (what, ...values) => {
      const state = {
        'socket destroyed': socket.destroyed,
        'socket writable': socket.writable,
        'req destroyed': req.destroyed,
        'req aborted': req.aborted,
        'res destroyed': res.destroyed,
        'res ended': res.writableEnded,
      };
      const is = Object.entries(state).flatMap(([name, value]) => (value ? [name] : []));
      seen.push([what, ...values.map(String), `(${is.join(', ')})`].join(' '));
    };
    for (const name of ['end', 'finish', 'close']) socket.on(name, () => say(`socket ${name}`));
    for (const name of ['aborted', 'end', 'close']) req.on(name, () => say(`req ${name}`));
    req.on('error', (error: NodeJS.ErrnoException) => say('req error', error.code, error.message));
    for (const name of ['finish', 'close', 'error', 'unpipe']) res.on(name, () => say(`res ${name}`));
    app(req, res, say);
    called.resolve();
  });
  const client = await Client.open(port, '127.0.0.1', true);
  client.send(request);
  await called.promise;
  // What the handler says at once has come by then, as in a program that reads before it leaves.
  await sleep(20);
  client.socket.end();
  await client.closed;
  await sleep(50);
  return [...seen, client.received.replace(/^Date:.*\r\n/m, '').replace(/^(?:Keep-Alive|Connection):.*\r\n/gm, '')];
}

describe('what an app sees of a client that has closed its half is what it sees in node:http', () => {
  it.each<[string, Watched, string]>([
    ['where it waits for something', () => {}, get],
    [
      'where it sends events',
      (_, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        res.write('data: 1\n\n');
      },
      get,
    ],
    ['where it has read the body', (req) => req.resume(), post],
    ['where it has not', () => {}, post],
    [
      'where it asks when the answer is over, as loggers do',
      (_, res, say) => onFinished(res, (error, { headersSent }) => say('over', error, headersSent)),
      get,
    ],
    [
      'where it answers too late: nothing is taken, and nothing is finished',
      (req, res, say) =>
        req.on('close', () => {
          say(
            'late',
            res.write('late', (error) => say('written', (error as NodeJS.ErrnoException).code)),
          );
          res.end('end', () => say('ended'));
          say('later', res.headersSent, res.writableFinished);
        }),
      get,
    ],
    [
      'where it pipes',
      (_, res) => {
        const source = new PassThrough();
        source.write('piece');
        source.pipe(res);
      },
      get,
    ],
    [
      'where a pipeline ends with it',
      (_, res, say) => {
        const source = new PassThrough();
        source.write('piece');
        pipeline(source, res, (error) => void setImmediate(() => say('pipeline', error?.code, source.destroyed)));
      },
      get,
    ],
    [
      'where it says its last words as it hears of it',
      (req, res, say) => req.socket.on('end', () => say('last words', res.write('bye'))),
      get,
    ],
    ['where it destroys the socket then', (req) => req.socket.on('end', () => req.socket.destroy()), get],
    [
      'where it was answered, and its connection is idle',
      (req, res) => {
        // Later, as the ends of a request and its answer come in another order on each Node.
        req.resume().on('end', () => setImmediate(() => res.end('done')));
      },
      get,
    ],
    [
      'where it was answered, and the body is read on',
      (req, res) => {
        req.resume();
        res.end('done');
      },
      post,
    ],
  ])('%s', async (_what, app, request) => {
    const expected = await watch(servers.node, app, request);
    expect(await watch(servers.tsgun, app, request)).toEqual(expected);
  });

  it('with the hooks of Fastify: its answer is sent once, fails nowhere, and is not followed by onResponse', async () => {
    const run = async (listen: (app: FastifyInstance) => Promise<number>) => {
      const seen: string[] = [];
      const begun = deferred();
      const ended = deferred();
      const app = Fastify();
      onTestFinished(() => app.close());
      app.addHook('onRequest', async () => void seen.push('onRequest'));
      app.addHook('onRequestAbort', async (_request) => void seen.push('onRequestAbort'));
      app.addHook('onResponse', async () => void seen.push('onResponse'));
      app.addHook('onSend', async (_request, reply) => void seen.push(`onSend ${reply.raw.destroyed}`));
      app.addHook('onError', async (_request, _reply, error) => void seen.push(`onError ${error.message}`));
      app.get('/', async (request) => {
        begun.resolve();
        await once(request.raw.socket, 'close');
        setTimeout(ended.resolve, 100);
        return 'late';
      });
      const client = await Client.open(await listen(app), '127.0.0.1', true);
      client.send(get);
      await begun.promise;
      client.socket.end();
      await client.closed;
      await ended.promise;
      return [...seen, client.received];
    };
    const expected = await run(async (app) => {
      await app.listen({ port: 0, host: '127.0.0.1' });
      return (app.server.address() as AddressInfo).port;
    });
    const seen = await run(async (app) => {
      await app.ready();
      return servers.tsgun(app.routing);
    });
    expect(seen).toEqual(expected);
    expect(seen).toEqual(['onRequest', 'onRequestAbort', 'onSend true', '']);
  });
});

describe.each(Object.entries(servers))('behind %s', (_name, open) => {
  it('an answer given before the end was seen comes whole, however slowly it is taken', async () => {
    const body = 'x'.repeat(20_000_000);
    const port = await open((_, res) => {
      res.end(body);
    });
    const client = await Client.open(port, '127.0.0.1', true);
    client.socket.pause();
    client.socket.end(get);
    await sleep(300);
    client.socket.resume();
    await client.closed;
    expect(client.received.length - client.received.indexOf('\r\n\r\n') - 4).toBe(body.length);
  });

  it('each of several requests that came whole takes effect, though their client has left', async () => {
    const bodies: string[] = [];
    const ended = deferred();
    const port = await open((req) => {
      req.setEncoding('utf8').on('data', (text) => {
        if (bodies.push(text) === 3) ended.resolve();
      });
    });
    const client = await Client.open(port, '127.0.0.1', true);
    client.socket.end(post + post + post);
    await ended.promise;
    await client.closed;
    expect(bodies).toEqual(['hello', 'hello', 'hello']);
    expect(client.received).toBe('');
  });

  it('the end of a client is seen behind what it has pipelined meanwhile, in however many pieces', async () => {
    const called: string[] = [];
    const port = await open((req) => void called.push(req.url!));
    const client = await Client.open(port, '127.0.0.1', true);
    for (const path of ['/1', '/2', '/3', '/4']) {
      client.send(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`);
      await sleep(20);
    }
    client.socket.end();
    await client.closed;
    await expect.poll(() => called).toEqual(['/1', '/2', '/3', '/4']);
  });

  it.each<[string, (req: IncomingMessage, res: ServerResponse) => void]>([
    [
      'res.end(), then req.destroy()',
      (req, res) => {
        res.end('whole');
        req.destroy();
      },
    ],
    [
      'res.end(), then req.destroy() when it is out',
      (req, res) => {
        res.end('whole', () => req.destroy());
      },
    ],
    [
      'res.end(), then socket.end()',
      (req, res) => {
        res.end('whole');
        req.socket.end();
      },
    ],
    [
      'the same, later',
      (req, res) =>
        void setImmediate(() => {
          res.end('whole');
          req.socket.end();
        }),
    ],
  ])('%s closes the connection after the answer', async (_what, app) => {
    const port = await open(app);
    const client = await Client.open(port);
    expect(await client.exchange(get)).toMatch(/\r\n\r\nwhole$/);
  });
});

describe('an upgraded socket', () => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n';
  const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n';

  /** A client whose connection was upgraded, and what the app has of it. */
  async function upgraded() {
    const server = createServer();
    const service = await openHandler(nodeHandler(server), { timeouts: { ...defaultTimeouts, bodyMs: 0 } });
    onTestFinished(() => service.close());
    const sockets = once(server, 'upgrade');
    const client = await Client.open(service.port, '127.0.0.1', true);
    client.send(upgrade);
    const [, socket] = (await sockets) as [IncomingMessage, Socket, Buffer];
    socket.write(accepted);
    await client.until(/\r\n\r\n$/);
    return { client, socket, server: service.server };
  }

  it('that nobody reads hears of its client’s end, and is closed a second later', async () => {
    const { client, socket, server } = await upgraded();
    const seen: string[] = [];
    for (const name of ['end', 'close', 'error']) socket.on(name, () => seen.push(name));
    const closed = once(socket, 'close');
    client.socket.end();
    await once(socket, 'end');
    expect(seen).toEqual(['end']);
    expect(socket.writable).toBe(true);
    await closed;
    await client.closed;
    expect(seen).toEqual(['end', 'close']);
    await expect.poll(() => server.connectionCount).toBe(0);
  });

  it('can be written to meanwhile, and each write gets it a second more', async () => {
    const { client, socket } = await upgraded();
    socket.on('end', async () => {
      for (const piece of '123') {
        await sleep(700);
        socket.write(piece);
      }
      socket.end('4');
    });
    client.socket.end();
    await client.closed;
    expect(client.received).toMatch(/1234$/);
  });

  it('keeps no worker from leaving', async () => {
    const { client, socket, server } = await upgraded();
    const ended = once(socket, 'end');
    client.socket.end();
    await ended;
    await server.drain(60_000);
    expect(socket.destroyed).toBe(true);
  });

  it('whose client takes nothing of what is written is cut', async () => {
    const { client, socket, server } = await upgraded();
    client.socket.pause();
    client.socket.end();
    await once(socket, 'end');
    socket.write(Buffer.alloc(50_000_000));
    await once(socket, 'close');
    await expect.poll(() => server.connectionCount).toBe(0);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
