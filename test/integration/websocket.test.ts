/** Upgraded connections: handed over with what was read, counted, and told at the end of a reload. */

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { onTestFinished } from '../current.ts';
import { Client } from '../http/client.ts';
import { makeFolder, start, type Tsgun } from './harness.ts';

const example = fileURLToPath(new URL('../../examples/websocket/app.ts', import.meta.url));

async function open(tsgun: Tsgun): Promise<WebSocket> {
  const socket = new WebSocket((await tsgun.url()).replace('http', 'ws'));
  onTestFinished(() => socket.terminate());
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

async function echo(socket: WebSocket, message: string | Buffer): Promise<string> {
  socket.send(message);
  const [bytes] = await once(socket, 'message');
  return String(bytes);
}

const closed = async (socket: WebSocket): Promise<number> => (await once(socket, 'close'))[0];

describe('a WebSocket', () => {
  it.each(['async', 'threaded'])(
    'carries messages of any size, beside requests, and holds up no stop once it has ended (%s)',
    async (workerClass) => {
      const tsgun = start(example, ['--worker-class', workerClass]);
      const socket = await open(tsgun);
      expect(await echo(socket, 'hello')).toBe('hello');
      const large = 'x'.repeat(5_000_000);
      expect(await echo(socket, large)).toBe(large);
      expect((await tsgun.get('/')).text).toBe('hello');
      const ended = closed(socket);
      socket.close(1000);
      expect(await ended).toBe(1000);
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    },
  );

  it.each([
    [
      'Fastify',
      `const app = require('fastify')();
app.get('/', async () => 'hello');
const { server } = app;`,
    ],
    [
      'Nest',
      `const { NestFactory } = require('@nestjs/core');
class Shop {}
require('@nestjs/common').Module({})(Shop);
const app = await NestFactory.create(Shop, { logger: false });
app.use((req, res) => res.end('hello'));
const server = app.getHttpServer();`,
    ],
  ])('reaches what waits for it at the server of a %s app', async (_, makeApp) => {
    const { path } = makeFolder({
      'app.mjs': `import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(example)});
${makeApp}
const sockets = new (require('ws').WebSocketServer)({ server });
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
export default app;`,
    });
    const tsgun = start(`${path}/app.mjs`);
    const socket = await open(tsgun);
    expect(await echo(socket, 'hello')).toBe('hello');
    expect((await tsgun.get('/')).text).toBe('hello');
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toEqual([]);
    socket.terminate();
    await tsgun.stop();
  });

  it('is asked to leave when its worker does, one after another within seconds, and its client comes to a new one', async () => {
    const count = 250;
    const tsgun = start(example, ['--graceful-timeout', '3600']);
    const [old] = await tsgun.workers(1);
    const before = await Promise.all(Array.from({ length: count }, () => open(tsgun)));
    const told: { code: number; at: number }[] = [];
    const after = before.map(async (socket) => {
      const code = await closed(socket);
      told.push({ code, at: performance.now() });
      return open(tsgun);
    });
    tsgun.signal('SIGHUP');
    const sockets = await Promise.all(after);
    expect(new Set(told.map(({ code }) => code))).toEqual(new Set([1001]));
    // A few every 50 ms: all at once would be a storm.
    expect(told.at(-1)!.at - told[0]!.at).toBeGreaterThan(1000);
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited');
    expect(tsgun.living()).not.toContain(old);
    const echoes = await Promise.all(sockets.map((socket, index) => echo(socket, `new ${index}`)));
    expect(echoes).toEqual(sockets.map((_, index) => `new ${index}`));
    for (const socket of sockets) socket.terminate();
    await tsgun.stop();
  });

  it.each(['async', 'threaded'])(
    'that is alone is asked at once, and whoever does not go is served until graceful-timeout (%s)',
    async (workerClass) => {
      const tsgun = start(example, ['--graceful-timeout', '2', '--worker-class', workerClass]);
      const socket = await open(tsgun);
      const client = await tsgun.connect();
      client.send(
        'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      await client.until(/101 Switching[\s\S]*\r\n\r\n$/);
      tsgun.signal('SIGHUP');
      expect(await closed(socket)).toBe(1001);
      await client.until(new RegExp(`\\r\\n\\r\\n${String.fromCharCode(0x88, 2, 3)}.$`, 's'));
      // A masked text frame, "hi".
      client.socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await client.until(/hi$/);
      await client.closed;
      await tsgun.event('reload_finished');
      await tsgun.stop();
    },
  );
});

describe('an upgrade', () => {
  const request = 'GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
  const listening = `
    import { createServer } from 'node:http';
    const server = createServer((req, res) => res.end('a request'));
    server.on('upgrade', (req, socket, head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
      socket.write(req.url + ' ' + (req.socket === socket) + ' ' + head);
      socket.pipe(socket);
    });
    export default server;`;

  describe.each(['async', 'threaded'])('in a worker of class %s', (workerClass) => {
    const folder = makeFolder({ 'app.mjs': listening }, true);
    let tsgun: Tsgun;
    beforeAll(async () => {
      tsgun = start(`${folder.path}/app.mjs`, ['--worker-class', workerClass], { isShared: true });
      await tsgun.workers(1);
    });
    afterAll(async () => {
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
      rmSync(folder.path, { recursive: true });
    });

    it('hands over what was read along with the request, and both ends of the stream', async () => {
      const { port } = new URL(await tsgun.url());
      const client = await Client.open(Number(port), '127.0.0.1', true);
      client.send(`${request}early`);
      await client.until(/\r\n\r\n\/x true early$/);
      client.socket.end('late');
      await client.closed;
      expect(client.received).toMatch(/\/x true earlylate$/);
    });

    it.each(['h2c', 'HTTP/2.0', 'h2c, TLS/1.3'])(
      'to %s is ignored, as versions of HTTP are not an app’s',
      async (protocol) => {
        const client = await tsgun.connect();
        client.send(
          `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
        );
        await client.until(/^HTTP\/1\.1 200 OK[\s\S]*a request$/);
      },
    );

    it('goes to the app if one of several protocols can be its own', async () => {
      const client = await tsgun.connect();
      client.send('GET /x HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c, echo\r\n\r\n');
      await client.until(/^HTTP\/1\.1 101 [\s\S]*\/x true $/);
    });
  });

  it('is ignored where nobody listens for it (RFC 9110 §7.8)', async () => {
    const app = `export default (req, res) => res.end('a request with ' + req.headers.upgrade);`;
    const tsgun = start(`${makeFolder({ 'app.mjs': app }).path}/app.mjs`);
    const client = await tsgun.connect();
    client.send(request);
    await client.until(/200 OK[\s\S]*a request with echo$/);
    await tsgun.stop();
  });

  it('to a thread ends with that thread, and those of other threads live on', async () => {
    const app = `import { createServer } from 'node:http';
      import { threadId } from 'node:worker_threads';
      const server = createServer((req, res) => res.end('a request'));
      server.on('upgrade', (req, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
        socket.write('thread ' + threadId + '.');
        socket.on('data', (data) => data.toString() === 'throw' ? (() => { throw new Error('of a socket'); })() : socket.write(data));
      });
      export default server;`;
    const options = ['--worker-class', 'threaded', '--threads', '2'];
    const tsgun = start(`${makeFolder({ 'app.mjs': app }).path}/app.mjs`, options);
    const clients: Client[] = [];
    const threads = () => clients.map(({ received }) => /thread (\d+)\./.exec(received)?.[1]);
    // Each goes to the thread that is free first: with two of them, both have one sooner or later.
    while (new Set(threads()).size < 2) {
      const client = await tsgun.connect();
      clients.push(client);
      client.send(request);
      await client.until(/thread \d+\.$/);
    }
    const other = clients.findIndex((_, index) => threads()[index] !== threads()[0]);
    clients[0]!.send('throw');
    await clients[0]!.closed;
    clients[other]!.send('still there');
    await clients[other]!.until(/still there$/);
    await tsgun.until(() => tsgun.log.some(({ msg }) => /thread ended/.test(msg)), 'the end of the thread');
    for (const { socket } of clients) socket.destroy();
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});
