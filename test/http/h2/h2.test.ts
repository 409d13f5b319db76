/** HTTP/2 of a server in this process: what apps and clients see of it. Its frames are in `conformance.test.ts`. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import express from 'express';
import { createServer, type ServerSettings } from 'tsgun';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../tls/certificates.ts';
import { asked, block, Flag, FrameClient, frame, headers, number32, preface, settings, Type } from './frames.ts';

const local = certificateFor(['localhost', '127.0.0.1']);
const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
writeFileSync(join(folder, 'a.crt'), local.cert);
writeFileSync(join(folder, 'a.key'), local.key);
afterAll(() => rmSync(folder, { recursive: true }));
const tls: ServerSettings = { certfile: join(folder, 'a.crt'), keyfile: join(folder, 'a.key') };
const plain: ServerSettings = { http: ['h1', 'h2c'] };

type NodeApp = (req: IncomingMessage, res: ServerResponse) => void;

async function serve(app: unknown, more: ServerSettings = tls) {
  const server = createServer(app as never, { logLevel: 'fatal', ...more } as never);
  onTestFinished(() => server.close());
  return { server, port: (await server.listen()).port! };
}

function open(port: number, scheme = 'https'): ClientHttp2Session {
  const session = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

async function answerOf(stream: ClientHttp2Stream) {
  const [fields] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
  return { status: fields[':status'], fields, body: await text(stream) };
}

const ask = (session: ClientHttp2Session, fields: Record<string, string | string[]> = {}, body?: string) => {
  const stream = session.request({ ':path': '/', ...fields }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
};

const wsgi = (env: Record<string, unknown>, startResponse: (status: string, fields: string[][]) => void) => {
  startResponse('200 OK', [
    ['Content-Type', 'application/json'],
    ['X-A', '1'],
    ['X-A', '2'],
    ['Connection', 'close'],
  ]);
  return [JSON.stringify(Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string')))];
};

describe('an upload that its client gives up', () => {
  const begun: string[] = [];
  const whole: string[] = [];
  const failed: string[] = [];
  const read = async (name: string, body: AsyncIterable<unknown>) => {
    try {
      for await (const _ of body) begun.push(name);
      whole.push(name);
    } catch {
      failed.push(name);
    }
  };
  const apps: Record<string, unknown> = {
    wsgi: async (env: Record<string, never>, startResponse: (status: string, fields: []) => void) => {
      await read(env.PATH_INFO!, env['wsgi.input']!);
      startResponse('200 OK', []);
      return [];
    },
    fetch: async (request: Request) => {
      await read(new URL(request.url).pathname, request.body as unknown as AsyncIterable<unknown>);
      return new Response();
    },
    node: async (req: IncomingMessage, res: ServerResponse) => {
      await read(req.url!, req);
      res.end();
    },
  };
  const ways: Record<string, (client: FrameClient) => void> = {
    'a reset (CANCEL)': (client) => client.send(frame(Type.reset, 0, 1, number32(8))),
    'a reset without an error': (client) => client.send(frame(Type.reset, 0, 1, number32(0))),
    'the end of the connection': (client) => client.socket.end(),
    'a reset of the connection': (client) => client.socket.resetAndDestroy(),
  };

  it.each(Object.keys(apps).flatMap((name) => Object.keys(ways).map((way) => ({ name, way }))))(
    'by $way is not whole for a $name app',
    async ({ name, way }) => {
      const { port } = await serve(apps[name], { ...plain, interface: name } as ServerSettings);
      const client = await FrameClient.open(port);
      const path = `/${name}/${way.replaceAll(/\W+/g, '-')}`;
      client.send(headers(asked([], path, 'POST'), Flag.endHeaders, 1), frame(Type.data, 0, 1, Buffer.from('part')));
      await expect.poll(() => begun).toContain(path);
      ways[way]!(client);
      await expect.poll(() => [...failed, ...whole]).toContain(path);
      expect(failed).toContain(path);
    },
  );
});

describe('HTTP/2 by ALPN', () => {
  it('is a WSGI environ like any other', async () => {
    const { port } = await serve(wsgi);
    const { status, fields, body } = await ask(open(port), {
      ':path': '/a%20b?c=d',
      cookie: ['a=1', 'b=2'],
      'x-b': 'y',
    });
    expect(status).toBe(200);
    expect(fields['x-a']).toBe('1, 2');
    expect(fields).not.toHaveProperty('connection');
    expect(JSON.parse(body)).toMatchObject({
      SERVER_PROTOCOL: 'HTTP/2.0',
      PATH_INFO: '/a b',
      QUERY_STRING: 'c=d',
      HTTP_HOST: `127.0.0.1:${port}`,
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_X_B: 'y',
      'wsgi.url_scheme': 'https',
      REMOTE_ADDR: '127.0.0.1',
    });
  });

  it('is a Request of a fetch app, with a body both ways', async () => {
    const app = async (request: Request) =>
      Response.json({ url: request.url, body: await request.text(), type: request.headers.get('content-type') });
    const { port } = await serve(app, { ...tls, interface: 'fetch' } as ServerSettings);
    const { body } = await ask(open(port), { ':method': 'POST', 'content-type': 'text/x' }, 'hello');
    expect(JSON.parse(body)).toEqual({ url: `https://127.0.0.1:${port}/`, body: 'hello', type: 'text/x' });
  });

  it.each([
    ['node apps', (answer: NodeApp) => answer],
    // It changes the prototypes of requests.
    ['Express', (answer: NodeApp) => express().use(answer as never)],
  ])('shows %s what the compatibility API of Node shows', async (_of, make) => {
    const { port } = await serve(
      make((req, res) => {
        const { httpVersion, httpVersionMajor, headers, authority, scheme, socket, rawHeaders } = req as unknown as {
          [name: string]: string;
        } & { headers: Record<string, string>; socket: { encrypted: boolean; alpnProtocol: string } };
        const names = Object.keys(headers).filter((name) => name.startsWith(':'));
        const { alpnProtocol, encrypted } = socket;
        const shown = { httpVersion, httpVersionMajor, authority, scheme, host: headers.host, names, rawHeaders };
        const { setTrailer } = res as unknown as { setTrailer: unknown };
        Object.assign(req, { authority: 'set' });
        res.end(
          JSON.stringify({
            ...shown,
            path: headers[':path'],
            method: headers[':method'],
            alpnProtocol,
            encrypted,
            setTrailer: typeof setTrailer,
            changed: (req as unknown as { authority: string }).authority,
          }),
        );
      }) as never,
      { ...tls, interface: 'node' } as ServerSettings,
    );
    const { body } = await ask(open(port), { ':path': '/x' });
    expect(JSON.parse(body)).toMatchObject({
      httpVersion: '2.0',
      httpVersionMajor: 2,
      authority: `127.0.0.1:${port}`,
      host: `127.0.0.1:${port}`,
      scheme: 'https',
      path: '/x',
      method: 'GET',
      names: [],
      alpnProtocol: 'h2',
      encrypted: true,
      setTrailer: 'function',
      changed: 'set',
    });
  });

  it('carries trailers both ways, early hints, and large bodies, as gRPC needs them', async () => {
    const app = async (
      req: AsyncIterable<Buffer> & { trailers: object },
      res: Record<string, (...args: never[]) => void>,
    ) => {
      const send = res as unknown as Record<string, (...args: unknown[]) => void>;
      send.writeEarlyHints!({ link: '</a.css>; rel=preload' });
      send.writeHead!(200, { 'content-type': 'application/grpc', trailer: 'grpc-status' });
      for await (const bytes of req) send.write!(bytes);
      send.addTrailers!({ 'grpc-status': '0', 'x-got': JSON.stringify(req.trailers) });
      send.end!();
    };
    const { port } = await serve(app, { ...tls, interface: 'node' } as ServerSettings);
    const stream = open(port).request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    const hints = once(stream, 'headers');
    const trailers = once(stream, 'trailers');
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }));
    stream.end(Buffer.alloc(3_000_000, 'a'));
    const { body } = await answerOf(stream);
    expect(body.length).toBe(3_000_000);
    expect((await hints)[0]).toMatchObject({ ':status': 103, link: '</a.css>; rel=preload' });
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0', 'x-got': '{"x-sum":"5"}' });
  });

  it('has no body in answers to HEAD, nor with 204 and 304', async () => {
    const { port } = await serve((env: { PATH_INFO: string }, startResponse: (status: string, fields: []) => void) => {
      startResponse(`${env.PATH_INFO.slice(1)} X`, []);
      return ['hello'];
    });
    const session = open(port);
    expect(await ask(session, { ':method': 'HEAD', ':path': '/200' })).toMatchObject({ status: 200, body: '' });
    expect(await ask(session, { ':path': '/204' })).toMatchObject({ status: 204, body: '' });
    expect(await ask(session, { ':path': '/304' })).toMatchObject({ status: 304, body: '' });
    expect(await ask(session, { ':path': '/200' })).toMatchObject({ status: 200, body: 'hello' });
  });

  it('stands beside HTTP/1.1, which a client may choose; --http says what is spoken', async () => {
    const first = async (port: number, ALPNProtocols: string[]) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
      onTestFinished(() => void socket.destroy());
      const refused = new Promise((resolve) => socket.on('error', () => resolve('refused')));
      return Promise.race([once(socket, 'secureConnect').then(() => socket.alpnProtocol), refused]).catch(
        () => 'refused',
      );
    };
    const both = await serve(wsgi);
    expect(await first(both.port, ['h2', 'http/1.1'])).toBe('h2');
    expect(await first(both.port, ['http/1.1'])).toBe('http/1.1');
    const one = await serve(wsgi, { ...tls, http: ['h1'] });
    expect(await first(one.port, ['h2', 'http/1.1'])).toBe('http/1.1');
    const two = await serve(wsgi, { ...tls, http: ['h2'] });
    expect(await first(two.port, ['http/1.1'])).toBe('refused');
    const silent = connectTls({ port: two.port, host: '127.0.0.1', rejectUnauthorized: false });
    silent.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await text(silent)).toMatch(/^HTTP\/1\.1 505 .*HTTP\/2 only/s);
  });
});

describe('HTTP/2 without TLS', () => {
  it('is for peers that may; the others, and HTTP/1.1, are served as ever', async () => {
    const { port } = await serve(wsgi, plain);
    expect(JSON.parse((await ask(open(port, 'http'))).body)).toMatchObject({
      SERVER_PROTOCOL: 'HTTP/2.0',
      'wsgi.url_scheme': 'http',
    });
    const old = connectPlain({ port, host: '127.0.0.1' });
    old.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await text(old)).toMatch(/^HTTP\/1\.1 200 .*"SERVER_PROTOCOL":"HTTP\/1\.1"/s);
    const strict = await serve(wsgi, { ...plain, forwardedAllowIps: ['192.0.2.1'] });
    const foreign = connectPlain({ port: strict.port, host: '127.0.0.1' });
    foreign.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(await text(foreign)).toMatch(/^HTTP\/1\.1 505/);
  });

  it('takes the client and the scheme from a trusted proxy', async () => {
    const { port } = await serve(wsgi, { ...plain, clientAddress: 'x-forwarded-for' });
    const { body } = await ask(open(port, 'http'), { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' });
    expect(JSON.parse(body)).toMatchObject({ REMOTE_ADDR: '203.0.113.7', 'wsgi.url_scheme': 'https' });
  });

  it('sends no more than the client takes, and lets the app wait meanwhile', async () => {
    let sent = 0;
    const app = async (
      _req: unknown,
      res: { write(bytes: Buffer): boolean; once(event: string, on: () => void): void; end(): void },
    ) => {
      for (let time = 0; time < 64; time++) {
        sent += 16384;
        if (!res.write(Buffer.alloc(16384))) await new Promise<void>((resolve) => res.once('drain', resolve));
      }
      res.end();
    };
    const { port } = await serve(app, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port);
    client.send(settings([4, 1]), headers());
    await client.until(() => client.bodies.get(1) === 1);
    client.mark();
    await client.until(() => client.isMarked);
    expect(client.bodies.get(1)).toBe(1);
    expect(sent).toBeLessThan(256 * 1024);
    // A window that SETTINGS make smaller than what is sent counts as negative (RFC 9113 §6.9.2).
    client.send(settings([4, 0]), frame(Type.window, 0, 1, number32(3)));
    await client.until(() => client.bodies.get(1) === 3);
    client.send(settings([4, 0x7fffffff]), frame(Type.window, 0, 0, number32(2 ** 30)));
    await client.until(() => client.ended.has(1));
    expect(client.bodies.get(1)).toBe(64 * 16384);
    client.socket.destroy();
  });

  it('tells apps of a stream that its client has reset, and of no other', async () => {
    const told: string[] = [];
    const app = (
      req: { url: string; on(event: string, on: () => void): void },
      res: { on(event: string, on: () => void): void; end(text: string): void; writableEnded: boolean },
    ) => {
      if (req.url === '/other') return res.end('other');
      req.on('aborted', () => told.push('aborted'));
      res.on('close', () => told.push(`close ${res.writableEnded}`));
    };
    const { port } = await serve(app, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port);
    client.send(headers(asked([], '/x', 'POST'), Flag.endHeaders));
    client.mark();
    await client.until(() => client.isMarked);
    client.send(frame(Type.reset, 0, 1, number32(8)), headers(asked([], '/other'), 5, 3));
    await client.until(() => client.ended.has(3));
    expect(client.outcome).toBe('200');
    await expect.poll(() => told).toEqual(['aborted', 'close false']);
    client.socket.destroy();
  });

  it('aborts the signal of a wsgi app, and closes its body, when its client has gone', async () => {
    const told: string[] = [];
    const app = (env: Record<string, AbortSignal>, startResponse: (status: string, fields: []) => void) => {
      startResponse('200 OK', []);
      env['tsgun.signal']!.addEventListener('abort', () => told.push('abort'));
      const body = (async function* () {
        try {
          yield 'first';
          await new Promise(() => {});
        } finally {
          told.push('never');
        }
      })();
      return Object.assign(body, { close: () => told.push('close') });
    };
    const { port } = await serve(app, plain);
    const client = await FrameClient.open(port);
    client.send(headers());
    await client.until(() => client.bodies.get(1) === 5);
    client.socket.destroy();
    await expect.poll(() => told).toEqual(['abort', 'close']);
  });

  it('cuts an answer that fails behind its head, and no other stream', async () => {
    const app = (env: { PATH_INFO: string }, startResponse: (status: string, fields: []) => void) => {
      startResponse('200 OK', []);
      return (function* () {
        yield 'begun';
        if (env.PATH_INFO === '/fail') throw new Error('on purpose');
      })();
    };
    const { port } = await serve(app, plain);
    const session = open(port, 'http');
    const failing = session.request({ ':path': '/fail' });
    const [error] = await once(failing, 'error');
    expect(error).toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
    expect(failing.rstCode).toBe(2);
    expect((await ask(session)).body).toBe('begun');
  });

  it("refuses fields of answers that would be another connection's, and answers 500", async () => {
    const app = (_env: unknown, startResponse: (status: string, fields: string[][]) => void) => {
      startResponse('200 OK', [['Transfer-Encoding', 'chunked']]);
      return ['hello'];
    };
    const { port } = await serve(app, plain);
    expect(await ask(open(port, 'http'))).toMatchObject({ status: 500 });
  });

  it('keeps the stores of one request from the others, those that wait for their turn included', async () => {
    const store = new AsyncLocalStorage<string>();
    const app = (request: IncomingMessage, response: ServerResponse) => {
      const before = store.getStore();
      store.enterWith(request.url!);
      setImmediate(() => response.end(`${before} ${store.getStore()}`));
    };
    const { port } = await serve(app, plain);
    const session = open(port, 'http');
    const paths = Array.from({ length: 100 }, (_, at) => `/${at}`);
    const answers = await Promise.all(paths.map((path) => ask(session, { ':path': path })));
    expect(answers.map(({ body }) => body)).toEqual(paths.map((path) => `undefined ${path}`));
  });

  it('holds requests to their time', async () => {
    const app = () => new Promise(() => {});
    const { port } = await serve(app, { ...plain, requestTimeout: 0.1, interface: 'wsgi' } as ServerSettings);
    const session = open(port, 'http');
    const both = await Promise.all([ask(session), ask(session)]);
    expect(both.map(({ status }) => status)).toEqual([504, 504]);
  });

  it('ends idle connections in their time, and says GOAWAY', async () => {
    const { port } = await serve(wsgi, { ...plain, keepAlive: 0.2 });
    const client = await FrameClient.open(port);
    client.send(headers());
    await client.until(() => client.goaway !== undefined);
    expect([client.goaway, client.lastStream]).toEqual(['NO_ERROR', 1]);
    client.socket.destroy();
  });

  it('answers what runs when it closes, and says GOAWAY with the last stream', async () => {
    let answer = () => {};
    const app = (_req: unknown, res: { end(text: string): void }) => {
      answer = () => res.end('late');
    };
    const { server, port } = await serve(app, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port);
    client.send(headers(asked(), Flag.endHeaders | Flag.endStream, 5));
    client.mark();
    await client.until(() => client.isMarked);
    const closed = server.close();
    await client.until(() => client.goaway !== undefined);
    expect([client.goaway, client.lastStream]).toEqual(['NO_ERROR', 5]);
    answer();
    await client.until(() => client.ended.has(5));
    expect(client.text).toBe('late');
    client.socket.end();
    await closed;
  });
});

describe('a client that does too much', () => {
  const flood = async (many: (client: FrameClient) => Buffer) => {
    const { port } = await serve(wsgi, plain);
    const client = await FrameClient.open(port);
    await client.until(() => client.settingsAcks > 0);
    client.send(many(client));
    await client.until(() => client.goaway !== undefined || client.isClosed);
    client.socket.destroy();
    return client.goaway;
  };
  const times = (count: number, each: (at: number) => Buffer) =>
    Buffer.concat(Array.from({ length: count }, (_, at) => each(at)));

  it('is sent away for resets', async () => {
    const each = (at: number) =>
      Buffer.concat([headers(asked(), 4, at * 2 + 1), frame(Type.reset, 0, at * 2 + 1, number32(8))]);
    // nghttp2 has a limit of its own, and another word for it.
    expect(await flood(() => times(5000, each))).toMatch(/^(ENHANCE_YOUR_CALM|INTERNAL_ERROR)$/);
  });

  const takenBack = (count: number) =>
    times(count, (at) =>
      Buffer.concat([headers(asked(), 5, at * 2 + 1), frame(Type.reset, 0, at * 2 + 1, number32(8))]),
    );

  it('is sent away for resets behind its preface, and nothing is made of its streams', async () => {
    let begun = 0;
    const { port } = await serve(() => begun++, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port, Buffer.concat([preface, settings(), takenBack(2000)]));
    await client.until(() => client.goaway !== undefined || client.isClosed);
    expect(client.goaway).toBe('ENHANCE_YOUR_CALM');
    client.socket.destroy();
    expect(begun).toBe(0);
  });

  it('brings few requests to the app where it takes them back at once, and may go on', async () => {
    const paths: string[] = [];
    const app = (req: { url: string }, res: { end(text: string): void }) => {
      paths.push(req.url);
      res.end('here');
    };
    const { port } = await serve(app, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port);
    await client.until(() => client.settingsAcks > 0);
    // From 128 on, Node 24 refuses those of one read by itself.
    client.send(takenBack(100), headers(asked([], '/last'), 5, 201));
    await client.until(() => client.ended.has(201));
    expect(paths.at(-1)).toBe('/last');
    expect(paths.length).toBeLessThan(60);
    client.socket.destroy();
  });

  it('has all that it asks at once answered, with bodies and trailers', async () => {
    const got: string[] = [];
    const app = async (req: AsyncIterable<Buffer> & { trailers: object }, res: { end(text: string): void }) => {
      let body = '';
      for await (const bytes of req) body += bytes;
      got.push(`${body} ${JSON.stringify(req.trailers)}`);
      res.end('done');
    };
    const { port } = await serve(app, { ...plain, interface: 'node' } as ServerSettings);
    const client = await FrameClient.open(port);
    await client.until(() => client.settingsAcks > 0);
    const post = (at: number) => [
      headers(asked([], '/', 'POST'), Flag.endHeaders, at * 2 + 1),
      frame(Type.data, 0, at * 2 + 1, Buffer.from('body')),
      headers([['x-sum', '5']], Flag.endHeaders | Flag.endStream, at * 2 + 1),
    ];
    client.send(...Array.from({ length: 100 }, (_, at) => post(at)).flat());
    await client.until(() => client.ended.size === 100);
    expect(got).toEqual(Array.from({ length: 100 }, () => 'body {"x-sum":"5"}'));
    client.socket.destroy();
  });

  it('is sent away for PINGs, and for SETTINGS', async () => {
    expect(await flood(() => times(3000, () => frame(Type.ping, 0, 0, Buffer.alloc(8))))).toBe('ENHANCE_YOUR_CALM');
    expect(await flood(() => times(3000, () => settings([4, 65535])))).toBe('ENHANCE_YOUR_CALM');
  });

  it('is sent away for frames that say nothing', async () => {
    const priority = frame(Type.priority, 0, 1, Buffer.alloc(5));
    expect(await flood(() => times(200_000, () => priority))).toBe('ENHANCE_YOUR_CALM');
  });

  it('is sent away for frames that are wrong, though it comes with a request and all of it at once', async () => {
    const { port } = await serve(wsgi, plain);
    const wrong = times(3000, () => frame(Type.data, 0, 1));
    // A stream that nobody has seen yet must not fail the process with its session's error.
    const request = headers(asked([], '/', 'POST'), Flag.endHeaders);
    for (let time = 0; time < 5; time++) {
      const client = await FrameClient.open(port, Buffer.concat([preface, settings(), request, wrong]));
      await client.until(() => client.goaway !== undefined || client.isClosed);
      expect(client.goaway ?? 'closed').not.toBe('NO_ERROR');
      client.socket.destroy();
    }
  });

  it('is sent away for CONTINUATION without end', async () => {
    const part = frame(Type.continuation, 0, 1, block([['a', 'b']]));
    const all = Buffer.concat([headers(asked(), 1, 1), times(100_000, () => part)]);
    expect(await flood(() => all)).not.toBe('NO_ERROR');
  });
});

describe('a server of node:http2 that listens for `stream`', () => {
  const program = () => {
    const told: unknown[] = [];
    const server = createHttp2Server();
    server.on('stream', async (stream, fields, flags) => {
      told.push([fields[':method'], fields[':path'], fields[':authority'], fields['x-a'], flags & 1]);
      stream.on('aborted', () => told.push(`aborted ${stream.rstCode}`));
      if (fields[':path'] === '/none') return stream.respond({ 'grpc-status': '12' }, { endStream: true });
      if (fields[':path'] === '/wait') return stream.respond();
      stream.on('trailers', (trailers) => told.push(trailers['x-sum']));
      stream.respond(
        { ':status': 201, 'content-type': 'application/grpc', 'x-b': ['1', '2'] },
        { waitForTrailers: true },
      );
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      for await (const bytes of stream) stream.write(bytes);
      stream.end('!');
    });
    return { server, told };
  };

  it('is served: bodies and trailers both ways', async () => {
    const { server, told } = program();
    const { port } = await serve(server, { ...tls, interface: 'node' });
    const session = open(port);
    const body = 'x'.repeat(200_000);
    const stream = session.request({ ':path': '/echo', ':method': 'POST', 'x-a': '7' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }));
    const trailers = once(stream, 'trailers');
    stream.end(body);
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 201, fields: { 'content-type': 'application/grpc', 'x-b': '1, 2' } });
    expect(answer.body === `${body}!`).toBe(true);
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
    expect(await ask(session, { ':path': '/none' })).toMatchObject({
      status: 200,
      fields: { 'grpc-status': '12' },
      body: '',
    });
    const authority = `127.0.0.1:${port}`;
    expect(told).toEqual([['POST', '/echo', authority, '7', 0], '5', ['GET', '/none', authority, undefined, 1]]);
  });

  it('hears of a client that leaves', async () => {
    const { server, told } = program();
    const { port } = await serve(server, { ...tls, interface: 'node' });
    const stream = open(port).request({ ':path': '/wait' });
    await once(stream, 'response');
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => told.at(-1)).toBe('aborted 8');
  });

  it('has its requests as well where it listens for those', async () => {
    const server = createHttp2Server((_, response) => response.end('by request'));
    const { port } = await serve(server, { ...tls, interface: 'node' });
    expect(await ask(open(port))).toMatchObject({ status: 200, body: 'by request' });
  });
});
