/** What Node handlers learn of a connection, and their clients of how long it lasts, beside node:http. */

import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { fetchHandler } from '../../../src/app/fetch/fetch.ts';
import { nodeHandler } from '../../../src/app/node/node.ts';
import { defaultTimeouts } from '../../../src/http/limits.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';
import { makeFolder, start } from '../../integration/harness.ts';
import { sideBySide } from './side-by-side.ts';

interface Resettable {
  readonly _handle: { reset(done: () => void): void };
}

const get = 'GET / HTTP/1.1\r\nHost: h\r\n';
const chunked = (trailers: string) =>
  'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n' +
  `3\r\nabc\r\n0\r\n${trailers}\r\n`;

describe('trailers', () => {
  it('are there when the body has ended', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const port = await serve((req, res) => {
        const early = { ...req.trailers };
        req.resume().on('end', () => {
          seen.push(early, req.trailers, req.rawTrailers, req.trailersDistinct);
          res.end();
        });
      });
      await (await Client.open(port)).exchange(chunked('X-T: a\r\nX-T: b\r\n'));
      return seen;
    });
    expect(ours).toEqual(nodes);
    expect(ours[1]).toEqual({ 'x-t': 'a, b' });
  });

  it('reach a thread, without what frames a message, as the time that its connection may be idle does', async () => {
    const folder = makeFolder({
      'app.mjs':
        "export default (req, res) => req.resume().on('end', () => res.end(JSON.stringify([req.trailers, req.socket.bytesRead])))",
    });
    const args = ['-k', 'threaded', '--threads', '1', '--interface', 'node', '--keep-alive', '7'];
    const tsgun = start('app.mjs', args, { cwd: folder.path });
    const client = await tsgun.connect();
    client.send(`${get}\r\n`);
    await client.until(/Keep-Alive: timeout=7\r\n[\s\S]*\[\{\},0\]$/);
    expect(await client.exchange(chunked('X-T: a\r\nContent-Length: 9\r\n'))).toMatch(/\[\{"x-t":"a"\},0\]$/);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('bytes of the socket', () => {
  it('are those of the connection, and are there after its end', async () => {
    const request = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde`;
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      let tell = () => {};
      const closed = new Promise<void>((resolve) => (tell = resolve));
      let written = () => 0;
      const port = await serve((req, res) => {
        const { socket } = req;
        if (seen.length === 0) {
          written = () => socket.bytesWritten;
          socket.on('close', () => {
            seen.push(socket.bytesRead);
            tell();
          });
        }
        req.resume().on('end', () => {
          seen.push(socket.bytesRead);
          res.end('a');
        });
      });
      const client = await Client.open(port);
      client.send(request);
      await client.until(/\r\n\r\na$/);
      client.send(request);
      await client.until(/\r\n\r\na[\s\S]*\r\n\r\na$/);
      expect(written()).toBe(client.received.length);
      client.socket.end();
      await closed;
      expect(written()).toBe(client.received.length);
      return seen;
    });
    expect(ours).toEqual(nodes);
    expect(ours).toEqual([request.length, 2 * request.length, 2 * request.length]);
  });
});

describe('a reset by the client', () => {
  interface Case {
    readonly what: string;
    readonly request?: string;
    readonly isEnded: boolean;
    readonly app: RequestListener;
    readonly expected: readonly unknown[];
  }

  it.each<Case>([
    {
      // Its body is not complete, so tsgun still reads what the client sends. node:http closes the connection with its FIN.
      what: 'behind the last answer is no error',
      request: 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello',
      isEnded: true,
      app: (_, res) => void res.end('done'),
      expected: ['close', false],
    },
    {
      what: 'of a connection that the app has ended is an error',
      isEnded: true,
      app: ({ socket }, res) => void res.end('done', () => socket.end()),
      expected: ['ECONNRESET', 'close', true],
    },
    {
      what: 'of an idle connection is an error',
      isEnded: false,
      app: (_, res) => void res.end('done'),
      expected: ['ECONNRESET', 'close', true],
    },
  ])('$what', async ({ request = `${get}\r\n`, isEnded, app, expected }) => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const server = createServer((req, res) => {
        if (req.url === '/other') return void res.end();
        req.socket.on('close', (hadError) => seen.push('close', hadError));
        return app(req, res);
      }).on('clientError', (error: NodeJS.ErrnoException, socket) => {
        seen.push(error.code);
        socket.destroy();
      });
      const port = await serve(server);
      const client = await Client.open(port, '127.0.0.1', true);
      const { socket } = client;
      const ended = new Promise<void>((resolve) => socket.once('end', resolve));
      client.send(request);
      await client.until(/done$/);
      if (isEnded) await ended;
      (socket as unknown as Resettable)._handle.reset(() => socket.destroy());
      // When another client has been served, the reset has been seen.
      await (await Client.open(port)).exchange('GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      await expect.poll(() => seen).toContain('close');
      return seen;
    });
    expect(nodes).toEqual(expected);
    expect(ours).toEqual(nodes);
  });
});

describe('Keep-Alive', () => {
  it('says how long the connection may be idle, where it persists', async () => {
    const service = await openHandler(nodeHandler((_req, res) => res.end('a')));
    const client = await Client.open(service.port);
    client.send(`${get}\r\n`);
    const seconds = defaultTimeouts.keepAliveMs / 1000;
    await client.until(new RegExp(`\\r\\nKeep-Alive: timeout=${seconds}\\r\\n(?:.*\\r\\n)*\\r\\na$`));
    client.received = '';
    expect(await client.exchange(`${get}Connection: close\r\n\r\n`)).not.toMatch(/Keep-Alive/);
    await service.close();
  });

  it('is not said by other interfaces, nor where connections do not persist', async () => {
    const fetches = await openHandler(fetchHandler(() => new Response('a')));
    const timeouts = { ...defaultTimeouts, keepAliveMs: 0 };
    const closing = await openHandler(
      nodeHandler((_req, res) => res.end('a')),
      { timeouts },
    );
    for (const { port } of [fetches, closing]) {
      const client = await Client.open(port);
      client.send(`${get}\r\n`);
      await client.until(/\r\n\r\na$/);
      expect(client.received).not.toMatch(/Keep-Alive/);
    }
    await fetches.close();
    await closing.close();
  });
});

describe('an exported http.Server', () => {
  it('joins the values of its unique headers', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const server = createServer({ uniqueHeaders: ['X-U'] }, (_req, res) => {
        res.setHeader('x-u', ['a', 'b']);
        res.setHeader('x-v', ['a', 'b']);
        res.end();
      });
      const answer = await (await Client.open(await serve(server))).exchange(`${get}Connection: close\r\n\r\n`);
      return answer.match(/^x-.*$/gm);
    });
    expect(ours).toEqual(nodes);
    expect(ours).toEqual(['x-u: a; b', 'x-v: a', 'x-v: b']);
  });

  it('says which upgrades it wants', async () => {
    const server = Object.assign(
      createServer((_req, res) => res.end('no upgrade')),
      {
        shouldUpgradeCallback: ({ url }: { url: string }) => {
          if (url === '/throw') throw new Error('undecided');
          return url === '/up';
        },
      },
    );
    server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const service = await openHandler(nodeHandler(server));
    const ask = async (path: string) => {
      const fields = 'Host: h\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n';
      return (await Client.open(service.port)).exchange(`GET ${path} HTTP/1.1\r\n${fields}`);
    };
    expect(await ask('/up')).toMatch(/^HTTP\/1\.1 101 /);
    expect(await ask('/other')).toMatch(/^HTTP\/1\.1 200 [\s\S]*no upgrade$/);
    expect(await ask('/throw')).toMatch(/^HTTP\/1\.1 500 /);
    expect(service.failures).toMatchObject([{ message: 'undecided' }]);
    await service.close();
  });

  it('may want none, and need not look at the request for that', async () => {
    const server = Object.assign(
      createServer((_req, res) => res.end('no upgrade')),
      { shouldUpgradeCallback: () => false },
    );
    server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const service = await openHandler(nodeHandler(server));
    const fields = 'Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n';
    expect(await (await Client.open(service.port)).exchange(`${get}${fields}`)).toMatch(/no upgrade$/);
    await service.close();
  });
});

it("requests and responses have the names of Node's classes", async () => {
  const names = (req: object, res: object) => [req.constructor.name, res.constructor.name].join(' ');
  const [nodes, ours] = await sideBySide(async (serve) => {
    const port = await serve((req, res) => res.end(names(req, res)));
    return (await Client.open(port)).exchange(`${get}Connection: close\r\n\r\n`);
  });
  for (const answer of [nodes, ours]) expect(answer).toMatch(/\r\n\r\nIncomingMessage ServerResponse$/);
});

describe('what an upgraded connection holds back while it is corked', () => {
  it('goes out when it is uncorked, also after earlier requests on the connection', async () => {
    const answers = await sideBySide(async (serve) => {
      const app = createServer((_req, res) => res.end('a'));
      app.on('upgrade', (_req, socket) => {
        socket.resume().on('end', () => socket.end());
        socket.cork();
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
        socket.write('held together');
        socket.uncork();
      });
      const client = await Client.open(await serve(app));
      client.send(`${get}\r\n`);
      await client.until(/\r\n\r\na$/);
      client.send(`${get}Connection: upgrade\r\nUpgrade: x\r\n\r\n`);
      await client.until(/held together$/);
      client.socket.end();
      return client.received.endsWith('held together');
    });
    expect(answers).toEqual([true, true]);
  });
});
