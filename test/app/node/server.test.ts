/** What an app has of its `http.Server`, and of its connections, side by side with node:http. */

import { createServer, Server } from 'node:http';
import { connect, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { Client } from '../../http/client.ts';
import { makeFolder, start } from '../../integration/harness.ts';
import { sideBySide } from './side-by-side.ts';

const get = async (port: number) =>
  (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text();

describe("a request's socket", () => {
  it.each(['a handler', 'an http.Server'])(
    'is a net.Socket, and knows the http.Server that serves it: %s',
    async (by) => {
      const [nodes, ours] = await sideBySide(async (serve) => {
        const seen: unknown[] = [];
        const handler = (req: { socket: Socket }, res: { end(text: string): void }) => {
          const { server } = req.socket as Socket & { server: unknown };
          seen.push(req.socket instanceof Socket, server instanceof Server, by === 'a handler' || server === app);
          res.end('served');
        };
        const app = createServer(handler);
        seen.push(await get(await serve(by === 'a handler' ? handler : app)));
        return seen;
      });
      expect(ours).toEqual(nodes);
    },
  );
});

describe("an exported server's listeners for requests", () => {
  it('are called once if they were added to be', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: string[] = [];
      const app = createServer().on('request', (_req, res) => void res.end('each'));
      app.once('request', () => seen.push('once'));
      const port = await serve(app);
      return [await get(port), await get(port), ...seen];
    });
    expect(nodes).toEqual(['each', 'each', 'once']);
    expect(ours).toEqual(nodes);
  });

  it('take over from each other: one for the first request, another for those that follow', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer();
      app.once('request', (_req, res) => {
        app.on('request', (_req, res) => void res.end('later'));
        res.end('first');
      });
      const port = await serve(app);
      return [await get(port), await get(port)];
    });
    expect(nodes).toEqual(['first', 'later']);
    expect(ours).toEqual(nodes);
  });
});

const raw = async (port: number, fields: string) =>
  (await Client.open(port)).exchange(`GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields}\r\n`);
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

describe("an exported server's options", () => {
  it.each([false, true])('decide whether values of one name are joined: %s', async (joinDuplicateHeaders) => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer({ joinDuplicateHeaders }, (req, res) => void res.end(req.headers.referer));
      return bodyOf(await raw(await serve(app), 'Referer: a\r\nReferer: b\r\n'));
    });
    expect(nodes).toMatch(joinDuplicateHeaders ? /a, b/ : /^(?!.*, )/);
    expect(ours).toBe(nodes);
  });

  it('say how much of an answer may wait, and what a body may be where it may not be one', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const options = { highWaterMark: 7, rejectNonStandardBodyWrites: true };
      const app = createServer(options, (_req, res) => {
        res.statusCode = 204;
        seen.push(res.writableHighWaterMark);
        try {
          res.write('body');
        } catch (error) {
          seen.push((error as NodeJS.ErrnoException).code);
        }
        res.end();
      });
      await get(await serve(app));
      return seen;
    });
    expect(nodes).toEqual([7, 'ERR_HTTP_BODY_NOT_ALLOWED']);
    expect(ours).toEqual(nodes);
  });

  it('end a connection that is silent for longer than server.setTimeout allows, or tell the server', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer(() => {}).setTimeout(50);
      seen.push(await raw(await serve(app), ''));
      const told = createServer((_req, res) => res.on('close', () => {}));
      told.setTimeout(50, (socket) => {
        seen.push(socket instanceof Socket);
        socket.end('HTTP/1.1 504 Late\r\n\r\n');
        socket.destroy();
      });
      await raw(await serve(told), '');
      return seen;
    });
    expect(nodes).toEqual(['', true]);
    expect(ours).toEqual(nodes);
  });

  it('that have no effect are named in a warning, with what decides instead; in a thread there are more', () => {
    const app = createServer({ requireHostHeader: false }, () => {});
    Object.assign(app, { maxHeaderSize: 9000, insecureHTTPParser: true });
    app.on('clientError', () => {}).on('drop', () => {});
    const warningsOf = (isInThread: boolean) => {
      const warnings: string[] = [];
      nodeHandler(app, { warn: (warning) => warnings.push(warning), isInThread });
      return warnings;
    };
    const [first, ...others] = warningsOf(false);
    expect(first).toBe(
      'app: maxHeaderSize of the http.Server (9000) has no effect here: set --limit-request-field-size',
    );
    expect(others).toMatchObject([expect.stringMatching(/insecureHTTPParser/)]);
    const named = [/maxHeaderSize/, /insecureHTTPParser/, /requireHostHeader/, /drop/, /clientError/];
    expect(warningsOf(true)).toMatchObject(named.map((name) => expect.stringMatching(name)));

    const warn = (warning: string) => expect.unreachable(warning);
    nodeHandler(createServer(), { warn });
    nodeHandler(createServer({ insecureHTTPParser: false }), { warn });
    nodeHandler(() => {}, { warn });
  });

  it.each(['async', 'threaded'])('are named in the log, once for each worker: %s', async (workerClass) => {
    const { path } = makeFolder({
      'app.mjs': `import { createServer } from 'node:http';
export default Object.assign(createServer((req, res) => res.end('served')), { maxHeaderSize: 9000 });`,
    });
    const tsgun = start(`${path}/app.mjs`, ['--worker-class', workerClass, '--threads', '2']);
    expect((await tsgun.get('/')).text).toBe('served');
    await tsgun.stop();
    expect(tsgun.log.filter(({ msg }) => msg.includes('maxHeaderSize'))).toMatchObject([{ level: 'warn' }]);
  });
});

describe("an exported server's listeners for connections", () => {
  it('are given each once, and see it close', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer((req, res) => {
        seen.push(sockets.has(req.socket));
        res.end('served');
      });
      const sockets = new Set<Socket>();
      const closed = new Promise<void>((resolve) => {
        app.on('connection', (socket: Socket) => {
          sockets.add(socket);
          socket.on('close', () => resolve(void sockets.delete(socket)));
        });
      });
      const client = await Client.open(await serve(app));
      for (let count = 1; count <= 2; count++) {
        client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        await client.until(new RegExp(`(served[^]*){${count}}`));
      }
      seen.push(sockets.size);
      client.socket.end();
      await closed;
      return [...seen, sockets.size];
    });
    expect(nodes).toEqual([true, true, 1, 0]);
    expect(ours).toEqual(nodes);
  });
});

describe('strictContentLength', () => {
  it('refuses a write beyond the length that was announced, and an end short of it', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const attempt = (write: () => unknown) => {
        try {
          write();
        } catch (error) {
          seen.push((error as NodeJS.ErrnoException).code);
        }
      };
      const port = await serve((_req, res) => {
        res.strictContentLength = true;
        res.writeHead(200, { 'Content-Length': 4 });
        res.write('ab');
        attempt(() => res.write('cde'));
        attempt(() => res.end());
        attempt(() => res.end('cd'));
      });
      return [await get(port), ...seen];
    });
    expect(nodes).toEqual(['abcd', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH']);
    expect(ours).toEqual(nodes);
  });
});

/** How a connection ends, as its client sees it. */
const endOf = (port: number, request: string) =>
  new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('end', () => resolve('FIN'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.write(request);
  });

const gone = {
  'res.destroy()': (_req, res) => res.destroy(),
  'req.destroy()': (req) => req.destroy(),
  'socket.destroy()': (req) => req.socket.destroy(),
  'res.destroy() amid an answer': (_req, res) => res.write('some', () => res.destroy()),
  'socket.resetAndDestroy()': (req) => req.socket.resetAndDestroy(),
} satisfies Record<string, NodeListener>;

describe('a connection that the app gives up', () => {
  it.each(Object.entries(gone))('ends as in node:http: %s', async (name, app) => {
    const [nodes, ours] = await sideBySide(async (serve) =>
      endOf(await serve(app), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'),
    );
    expect(nodes).toBe(name === 'socket.resetAndDestroy()' ? 'ECONNRESET' : 'FIN');
    expect(ours).toBe(nodes);
  });

  it('ends with a reset after an upgrade too', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const server = createServer().on('upgrade', (_req, socket) => (socket as Socket).resetAndDestroy());
      return endOf(await serve(server), 'GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    });
    expect([nodes, ours]).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  it('ends so in a thread too', async () => {
    const { path } = makeFolder({ 'app.mjs': 'export default (req, res) => res.destroy();' });
    const tsgun = start(`${path}/app.mjs`, ['--worker-class', 'threaded']);
    const { port } = new URL(await tsgun.url());
    expect(await endOf(Number(port), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toBe('FIN');
    await tsgun.stop();
  });
});
