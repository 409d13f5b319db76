/** What an `http.Server` takes beyond requests: CONNECT, expectations, broken requests, classes of its own. Beside node:http. */

import { once } from 'node:events';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createRawServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeHandler } from '../../../src/app/node/node.ts';
import { defaultTimeouts } from '../../../src/http/limits.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';
import { makeFolder, start } from '../../integration/harness.ts';
import { sideBySide } from './side-by-side.ts';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n';
const ask = async (port: number, request: string) => (await Client.open(port)).exchange(request);
const statusOf = (answer: string) => answer.slice(0, 'HTTP/1.1 200'.length);

describe('CONNECT', () => {
  it('goes to listeners with the socket and what was sent ahead, and tunnels to another server', async () => {
    const target = createRawServer((socket) => void socket.end('welcome')).listen(0, '127.0.0.1');
    onTestFinished(() => void target.close());
    await once(target, 'listening');
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer().on('connect', (req, client: Socket, head) => {
        seen.push(req.method, req.url, String(head));
        const upstream = connect(Number(req.url?.split(':')[1]), '127.0.0.1', () => {
          client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
          upstream.pipe(client).pipe(upstream);
        });
      });
      const { port } = target.address() as AddressInfo;
      const answer = await ask(await serve(app), `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: h\r\n\r\nhello`);
      return [...seen, answer];
    });
    expect(nodes.slice(2)).toEqual(['hello', 'HTTP/1.1 200 Connection Established\r\n\r\nwelcome']);
    expect(ours).toEqual(nodes);
  });

  it('is answered 501 without a listener, and where it has a body', async () => {
    const [, without] = await sideBySide(async (serve) =>
      ask(await serve(createServer()), 'CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n'),
    );
    expect(statusOf(without)).toBe('HTTP/1.1 501');
    const app = createServer().on('connect', (_req, socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    const [, withBody] = await sideBySide(async (serve) =>
      ask(await serve(app), 'CONNECT a:1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\na'),
    );
    expect(statusOf(withBody)).toBe('HTTP/1.1 501');
  });
});

describe('an expectation other than 100-continue', () => {
  it.each([true, false])('goes to listeners for checkExpectation, else it is answered 417: %s', async (listens) => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer((_req, res) => void res.end('a request like any other'));
      if (listens) app.on('checkExpectation', (req, res) => void res.writeHead(202).end(req.headers.expect));
      const answer = await ask(await serve(app), `${get}Connection: close\r\nExpect: meat\r\n\r\n`);
      return [statusOf(answer), /meat/.test(answer)];
    });
    expect(nodes).toEqual(listens ? ['HTTP/1.1 202', true] : ['HTTP/1.1 417', false]);
    expect(ours).toEqual(nodes);
  });
});

const broken = {
  'a malformed method': 'G\0ET / HTTP/1.1\r\nHost: h\r\n\r\n',
  'a malformed field': `${get}a b: c\r\n\r\n`,
  'two lengths': `${get}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`,
  'a field that is too long': `${get}a: ${'b'.repeat(20_000)}\r\n\r\n`,
};

describe('clientError', () => {
  it.each(Object.entries(broken))('is emitted, with a socket to answer on: %s', async (_what, request) => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer(() => seen.push('a request')).on(
        'clientError',
        (error: NodeJS.ErrnoException, socket) => {
          seen.push(error.code, error instanceof Error, socket.writable);
          socket.end('HTTP/1.1 400 My Own Words\r\n\r\n');
        },
      );
      return [await ask(await serve(app), request), ...seen];
    });
    expect(nodes[0]).toBe('HTTP/1.1 400 My Own Words\r\n\r\n');
    expect(ours).toEqual(nodes);
  });

  it('comes behind the answers to requests that were sent before', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer((_req, res) => void res.setHeader('Content-Length', 1).end('1'));
      let packet: unknown;
      app.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
        packet = String(error.rawPacket);
        socket.end('HTTP/1.1 400 Bad\r\n\r\n');
      });
      const answer = await ask(await serve(app), `${get}\r\n\0\r\n\r\n`);
      return [answer.slice(answer.indexOf('\r\n\r\n')), packet];
    });
    expect(nodes).toEqual(['\r\n\r\n1HTTP/1.1 400 Bad\r\n\r\n', `${get}\r\n\0\r\n\r\n`]);
    expect(ours).toEqual(nodes);
  });

  it('is emitted for a body that is broken too, and for a client that ends too early', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer((req) => {
        req.on('error', () => {}).on('close', () => seen.push('closed'));
        req.resume();
      });
      app.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        seen.push(error.code);
        socket.end('HTTP/1.1 400 Bad\r\n\r\n');
      });
      const port = await serve(app);
      const body = await ask(port, `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
      const client = await Client.open(port);
      client.socket.end('GET / HT');
      await client.until(/Bad\r\n\r\n$/);
      return [body, ...seen.sort()];
    });
    expect(nodes).toEqual(['HTTP/1.1 400 Bad\r\n\r\n', 'HPE_INVALID_CHUNK_SIZE', 'HPE_INVALID_EOF_STATE', 'closed']);
    expect(ours).toEqual(nodes);
  });

  it('lets the listener destroy the socket with what it has written, as Fastify does', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer().on('clientError', (error, socket) => {
        socket.write('HTTP/1.1 400 Bad\r\n\r\n');
        socket.destroy(error);
      });
      return ask(await serve(app), broken['two lengths']);
    });
    expect([nodes, ours]).toEqual(Array(2).fill('HTTP/1.1 400 Bad\r\n\r\n'));
  });

  it('is emitted for an error of the socket of the app itself', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer((req) => void req.socket.destroy(new Error('own'))).on('clientError', (error) =>
        seen.push(error.message),
      );
      return [await ask(await serve(app), `${get}\r\n`), ...seen];
    });
    expect(nodes).toEqual(['', 'own']);
    expect(ours).toEqual(nodes);
  });

  it('leaves a socket that nobody ends to its deadline', async () => {
    const app = createServer().on('clientError', () => {});
    const service = await openHandler(nodeHandler(app), { timeouts: { ...defaultTimeouts, bodyMs: 1 } });
    onTestFinished(() => service.close());
    expect(await ask(service.port, broken['two lengths'])).toBe('');
  });

  // Each class makes its server by itself.
  it.each(['async', 'sync'])('is emitted in workers: %s', async (workerClass) => {
    const { path } = makeFolder({
      'app.mjs': `import { createServer } from 'node:http';
export default createServer().on('clientError', (error, socket) => socket.end('HTTP/1.1 400 In A Worker\\r\\n\\r\\n'));`,
    });
    const tsgun = start(`${path}/app.mjs`, ['-k', workerClass]);
    const { port } = new URL(await tsgun.url());
    expect(await ask(Number(port), broken['two lengths'])).toBe('HTTP/1.1 400 In A Worker\r\n\r\n');
    await tsgun.stop();
  });
});

describe('classes of its own', () => {
  const withClasses = (): Server => {
    class Incoming extends IncomingMessage {
      readonly #agent = () => this.headers['user-agent'];
      get agent() {
        return this.#agent();
      }
    }
    class Outgoing extends ServerResponse<Incoming> {
      readonly made = 'made';
      say(text: string | undefined) {
        this.setHeader('X-Made', this.made);
        this.end(text);
      }
    }
    const server = createServer({ IncomingMessage: Incoming, ServerResponse: Outgoing }, (req, res) => {
      res.say(`${req.agent} ${req instanceof Incoming} ${res instanceof Outgoing} ${res.req === req}`);
    });
    return server as unknown as Server;
  };

  it.skipIf(process.env.TSGUN_NO_INTERNALS)('are what its requests and answers are made of', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const answer = await ask(await serve(withClasses()), `${get}User-Agent: me\r\nConnection: close\r\n\r\n`);
      return [/X-Made: made/.test(answer), answer.slice(answer.indexOf('\r\n\r\n'))];
    });
    expect(nodes).toEqual([true, '\r\n\r\nme true true true']);
    expect(ours).toEqual(nodes);
  });
});

describe('further options', () => {
  it('requireHostHeader: false lets requests without Host pass', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer({ requireHostHeader: false }, (_req, res) => void res.end());
      return statusOf(await ask(await serve(app), 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'));
    });
    expect([nodes, ours]).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  });

  it('maxRequestsPerSocket ends a connection behind the last of its answers', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = Object.assign(
        createServer((_req, res) => void res.end()),
        { maxRequestsPerSocket: 2 },
      );
      const client = await Client.open(await serve(app));
      client.send(`${get}\r\n`);
      await client.until(/\r\n\r\n$/);
      client.send(`${get}\r\n`);
      await client.until(/Connection: close[\s\S]*\r\n\r\n$/);
      const answers = client.received;
      return [answers.match(/HTTP\/1.1 200/g)?.length, answers.match(/Connection: close/g)?.length];
    });
    expect(nodes).toEqual([2, 1]);
    expect(ours).toEqual(nodes);
  });

  it('the time of a socket ends its connection, whether or not the socket has a listener; not after an upgrade', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const app = createServer((req) => {
        req.socket.setTimeout(20, () => seen.push('told', req.socket.destroyed));
      });
      app.on('upgrade', (_req, socket: Socket) => {
        socket.setTimeout(20, () => {
          seen.push('told', socket.destroyed);
          socket.end('still there');
        });
      });
      const port = await serve(app);
      const answers = [
        await ask(port, `${get}\r\n`),
        await ask(port, `${get}Connection: upgrade\r\nUpgrade: x\r\n\r\n`),
      ];
      return [...answers, ...seen];
    });
    expect(nodes).toEqual(['', 'still there', 'told', true, 'told', false]);
    expect(ours).toEqual(nodes);
  });

  it('a socket takes an answer in bytes of the app, behind the answers before', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const port = await serve((req, res) => {
        if (req.url === '/res') return res.setHeader('Content-Length', 1).end('a');
        res.on('close', () => seen.push('closed', res.writableEnded));
        return req.socket.end('HTTP/1.1 299 Own\r\n\r\nbytes');
      });
      const answer = await ask(port, `GET /res HTTP/1.1\r\nHost: h\r\n\r\n${get}\r\n`);
      await expect.poll(() => seen).toHaveLength(2);
      return [answer.slice(answer.indexOf('\r\n\r\n')), ...seen];
    });
    expect(nodes).toEqual(['\r\n\r\naHTTP/1.1 299 Own\r\n\r\nbytes', 'closed', false]);
    expect(ours).toEqual(nodes);
  });

  it('a socket takes no bytes amid the answer of its response, and none of that goes out behind its own', async () => {
    const [, ours] = await sideBySide(async (serve) => {
      const port = await serve((req, res) => {
        if (req.url === '/') {
          req.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown');
          res.end('of the response');
          req.socket.end();
        } else res.write('some', () => req.socket.end('HTTP/1.1 400 Bad\r\n\r\n'));
      });
      return [await ask(port, `${get}\r\n`), /400/.test(await ask(port, 'GET /b HTTP/1.1\r\nHost: h\r\n\r\n'))];
    });
    expect(ours).toEqual(['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown', false]);
  });

  it('listeners for connections hear of one that has sent nothing, and may refuse it', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer().on('connection', (socket: Socket) => void socket.destroy());
      return ask(await serve(app), '');
    });
    expect([nodes, ours]).toEqual(['', '']);
  });

  it('the encoding of a socket cannot be set, and odd lists of fields are refused, with the codes of Node', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: unknown[] = [];
      const attempt = (action: () => unknown) => {
        try {
          action();
        } catch (error) {
          seen.push((error as NodeJS.ErrnoException).code);
        }
      };
      const port = await serve((req, res) => {
        attempt(() => req.socket.setEncoding('utf8'));
        attempt(() => res.writeHead(200, ['a', '1', 'b']));
        res.end();
      });
      await ask(port, `${get}Connection: close\r\n\r\n`);
      return seen;
    });
    expect(nodes).toEqual(['ERR_HTTP_SOCKET_ENCODING', 'ERR_INVALID_ARG_VALUE']);
    expect(ours).toEqual(nodes);
  });
});
