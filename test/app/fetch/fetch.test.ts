import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type Fetch, fetchHandler } from '../../../src/app/fetch/fetch.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { type InProcess, openHandler } from '../../http/in-process.ts';
import { eventually } from '../../integration/harness.ts';

async function open(app: Fetch | { fetch: Fetch }): Promise<InProcess> {
  const service = await openHandler(fetchHandler(app));
  onTestFinished(() => service.close());
  return service;
}

async function ask(app: Fetch | { fetch: Fetch }, request = 'GET /', fields = '', body = ''): Promise<string> {
  const { port } = await open(app);
  const client = await Client.open(port);
  return client.exchange(`${request} HTTP/1.1\r\nHost: Example.test:80\r\nConnection: close\r\n${fields}\r\n${body}`);
}

const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const post = 'Content-Type: text/plain\r\nContent-Length: 9\r\n';

describe('a Request', () => {
  it.each([
    ['/', 'http://example.test/'],
    ['/a?b=c&d', 'http://example.test/a?b=c&d'],
    ['/a/../b/./c', 'http://example.test/b/c'],
    ['/%2e%2e/x', 'http://example.test/x'],
    ["/a'b?c'd", "http://example.test/a'b?c%27d"],
    ['//two/slashes', 'http://example.test//two/slashes'],
    ['/a|b{c}', new URL('http://example.test/a|b{c}').href],
    ['/.hidden/..x', 'http://example.test/.hidden/..x'],
  ])('for %s has the URL that Node would make of it', async (target, url) => {
    expect(bodyOf(await ask((request) => new Response(request.url), `GET ${target}`))).toBe(url);
  });

  it.each([
    ['/a\\..\\b', 'http://example.test/a%5C..%5Cb'],
    ['/\\evil.test/x', 'http://example.test/%5Cevil.test/x'],
    ['/a?b\\c', 'http://example.test/a?b\\c'],
  ])('does not turn a backslash into a slash: %s', async (target, url) => {
    expect(bodyOf(await ask((request) => new Response(request.url), `GET ${target}`))).toBe(url);
  });

  it.each([
    ['h', 'http://h/'],
    ['h:8080', 'http://h:8080/'],
    ['[::1]:80', 'http://[::1]/'],
  ])('that asks about the whole server has a URL of the host %s', async (host, url) => {
    const { port } = await open((request) => new Response(`${request.method} ${request.url}`));
    const client = await Client.open(port);
    const received = await client.exchange(`OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(bodyOf(received)).toBe(`OPTIONS ${url}`);
  });

  it('passes for one of Node', async () => {
    const app: Fetch = async (request) => {
      const copy = new Request(request, { headers: { 'X-New': 'n' } });
      const facts = [request instanceof Request, copy.method, copy.url, copy.headers.get('x-new'), await copy.text()];
      return Response.json([...facts, request.redirect]);
    };
    expect(JSON.parse(bodyOf(await ask(app, 'POST /x', post, '{"a":"b"}')))).toEqual([
      true,
      'POST',
      'http://example.test/x',
      'n',
      '{"a":"b"}',
      'follow',
    ]);
  });

  it.each<[string, (request: Request) => unknown]>([
    ['before it is read', (request) => request.body?.cancel()],
    [
      'while it is read',
      async (request) => {
        for await (const _ of request.body!) break;
      },
    ],
  ])('whose body the app cancels %s is answered, and the next one too', async (_when, cancel) => {
    const { port } = await open(async (request) => {
      if (request.method === 'POST') await cancel(request);
      return new Response(request.method);
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    const body = `30d40\r\n${'x'.repeat(200_000)}\r\n0\r\n\r\n`;
    await client.exchange(`${body}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    expect(client.received.match(/POST|GET/g)).toEqual(['POST', 'GET']);
  });

  it.each<[string, (request: Request) => Promise<unknown>]>([
    ['text', (request) => request.text()],
    ['json', async (request) => JSON.stringify(await request.json())],
    ['arrayBuffer', async (request) => Buffer.from(await request.arrayBuffer()).toString()],
    ['blob', async (request) => (await request.blob()).text()],
    ['its stream', async (request) => new Response(request.body).text()],
    ['a clone', async (request) => request.clone().text()],
    [
      'headers first',
      async (request) => `${request.headers.get('content-length') === '9' ? await request.text() : ''}`,
    ],
  ])('is read by %s', async (_way, read) => {
    const app: Fetch = async (request) => new Response(String(await read(request)));
    expect(bodyOf(await ask(app, 'POST /', post, '{"a":"b"}'))).toBe('{"a":"b"}');
  });

  it('is read once', async () => {
    const app: Fetch = async (request) => {
      await request.text();
      const again = await request.text().catch((error: Error) => error.name);
      return Response.json([request.bodyUsed, again]);
    };
    expect(bodyOf(await ask(app, 'POST /', post, '{"a":"b"}'))).toBe('[true,"TypeError"]');
  });

  it('read as text cannot be read again', async () => {
    const app: Fetch = async (request) => {
      await request.text();
      return Response.json([request.body === null, request.bodyUsed, throwsAt(() => request.clone())]);
    };
    expect(bodyOf(await ask(app, 'POST /', post, '{"a":"b"}'))).toBe('[false,true,"TypeError"]');
  });

  it.each<[string, (request: Request) => Promise<unknown>]>([
    ['text', (request) => request.text()],
    ['a blob', async (request) => (await request.blob()).text()],
    ['a stream', (request) => new Response(request.body).text()],
  ])('is read on when it is answered already, as %s', async (_way, read) => {
    const bodies: unknown[] = [];
    const { port } = await open((request) => {
      if (request.method === 'POST') void read(request).then((body) => bodies.push(body));
      return Response.json(bodies);
    });
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
    await client.until(/\[\]$/);
    client.send('def');
    await eventually(() => bodies.length === 1);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(/\["abcdef"\]$/);
  });

  it('fails its reader if the rest does not come after the answer', async () => {
    let tell = (_error: Error) => {};
    const told = new Promise<Error>((resolve) => (tell = resolve));
    const app: Fetch = (request) => {
      request.text().catch(tell);
      return new Response('early');
    };
    const { port } = await open(app);
    const client = await Client.open(port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
    await client.until(/early$/);
    client.socket.destroy();
    expect((await told).message).toMatch(/ahead of the body/);
  });

  it('that nobody reads is discarded', async () => {
    const { port } = await open((request) => new Response(String(request.body !== null)));
    const client = await Client.open(port);
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(
      /true[\s\S]*false$/,
    );
  });

  it('has a signal that aborts when the client has gone', async () => {
    let tell = (_reason: unknown) => {};
    const told = new Promise((resolve) => (tell = resolve));
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { port } = await open((request) => {
      begin();
      return new Promise((resolve) =>
        request.signal.addEventListener('abort', () => {
          tell(request.signal.reason);
          resolve(new Response('late'));
        }),
      );
    });
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await begun;
    client.socket.destroy();
    expect(await told).toMatchObject({ name: 'ClientGone' });
  });

  it('comes with the address of its client', async () => {
    const app: Fetch = (_request, info) => Response.json(info.remoteAddr.hostname);
    expect(bodyOf(await ask(app))).toBe('"127.0.0.1"');
  });

  it('gives Hono the address of its client in c.env', async () => {
    const app = new Hono<{ Bindings: Parameters<Fetch>[1] }>();
    app.get('*', (c) => c.text(c.env.remoteAddr.hostname));
    expect(bodyOf(await ask(app.fetch as Fetch))).toBe('127.0.0.1');
  });

  it('has no property that Node’s Request lacks, and its Response none that Node’s lacks', async () => {
    const added: string[] = [];
    const app: Fetch = (request) => {
      const response = new Response('x');
      added.push(...Object.keys(request).filter((name) => !(name in Request.prototype)));
      added.push(...Object.keys(response).filter((name) => !(name in Response.prototype)));
      return response;
    };
    await ask(app);
    expect(added).toEqual([]);
  });

  it('whose Host is malformed is refused', async () => {
    const { port } = await open(() => new Response());
    const client = await Client.open(port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: 1.2.3.4.5\r\nConnection: close\r\n\r\n')).toMatch(/ 400 /);
  });
});

describe('a Response', () => {
  it.each<[string, () => ConstructorParameters<typeof Response>]>([
    ['a text', () => ['x']],
    ['bytes', () => [new Uint8Array([120])]],
    ['nothing', () => [null, { status: 204 }]],
  ])("of an app's own class is one, also with %s", async (_what, make) => {
    class Own extends Response {
      own() {
        return this.headers.get('x-own') ?? 'own';
      }
    }
    const seen: unknown[] = [];
    const app: Fetch = () => {
      const response = new Own(...make());
      seen.push(response instanceof Own, response.own(), response.ok);
      return response;
    };
    expect(await ask(app)).toMatch(/^HTTP\/1\.1 20[04] /);
    expect(seen).toEqual([true, 'own', true]);
  });

  it('whose stream fails while the client reads nothing fails that request alone', async () => {
    // The second is more than the kernel takes.
    const pieces = [new Uint8Array(1), new Uint8Array(30_000_000)];
    const escaped: unknown[] = [];
    const onEscape = (error: unknown) => escaped.push(error);
    process.on('unhandledRejection', onEscape);
    onTestFinished(() => void process.off('unhandledRejection', onEscape));
    let tell = () => {};
    const failed = new Promise<void>((resolve) => (tell = resolve));
    const service = await open(() => {
      const pull = (controller: ReadableStreamDefaultController) => {
        const piece = pieces.shift();
        if (piece !== undefined) return controller.enqueue(piece);
        controller.error(new Error('late'));
        setImmediate(tell);
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
    });
    const client = await Client.open(service.port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await failed;
    client.socket.resume();
    await client.closed;
    expect(escaped).toEqual([]);
    expect(service.failures).toMatchObject([{ message: 'late' }]);
  });

  it.each<[string, Fetch, RegExp]>([
    [
      'of a text has its type and length',
      () => new Response('ü'),
      /\r\ncontent-type: text\/plain;charset=UTF-8\r\n[\s\S]*Content-Length: 2\r\n/,
    ],
    ['without a body has the length 0', () => new Response(), /\r\nContent-Length: 0\r\n/],
    [
      'of 204 has no body',
      () => new Response(null, { status: 204 }),
      /^HTTP\/1\.1 204 No Content\r\n(?![\s\S]*Length)/,
    ],
    [
      'may have its own reason',
      () => new Response('', { status: 201, statusText: 'Made' }),
      /^HTTP\/1\.1 201 Made\r\n/,
    ],
    ['of bytes has their length', () => new Response(new Uint8Array(3)), /\r\nContent-Length: 3\r\n/],
    ['of bytes has no type', () => new Response(new Uint8Array(3)), /^(?![\s\S]*content-type)/i],
    ['of a buffer', () => new Response(new TextEncoder().encode('abc').buffer), /\r\n\r\nabc$/],
    [
      'of a part of one',
      () => new Response(new DataView(new TextEncoder().encode('abcd').buffer, 1, 2)),
      /\r\n\r\nbc$/,
    ],
    [
      'of bytes that change later',
      () => {
        const bytes = new TextEncoder().encode('before');
        const response = new Response(bytes);
        bytes.fill(0x78);
        return response;
      },
      /\r\n\r\nbefore$/,
    ],
    ['of bytes, cloned', () => new Response(new TextEncoder().encode('twice')).clone(), /\r\n\r\ntwice$/],
    [
      'of JSON',
      () => Response.json({ a: 1 }, { status: 201 }),
      /^HTTP\/1\.1 201 Created\r\ncontent-type: application\/json\r\n[\s\S]*\{"a":1\}$/,
    ],
    [
      'that redirects',
      () => Response.redirect('http://h/x', 303),
      /^HTTP\/1\.1 303 See Other\r\nlocation: http:\/\/h\/x\r\n/,
    ],
    ['with a form', () => new Response(new URLSearchParams({ a: 'b' })), /urlencoded[\s\S]*a=b$/],
    [
      'with several Set-Cookie sends them all',
      () => {
        const response = new Response('x', { headers: { 'Set-Cookie': 'a=1' } });
        response.headers.append('Set-Cookie', 'b=2');
        return response;
      },
      /\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/,
    ],
    [
      'of another one keeps its body',
      async () => {
        const first = new Response('kept', { headers: { 'X-A': 'a' } });
        return new Response(first.body, first);
      },
      /x-a: a\r\n[\s\S]*kept/,
    ],
    ['cloned', () => new Response('twice').clone(), /twice$/],
    ['from fetch', async () => fetch('data:text/plain,fetched'), /fetched/],
    [
      'in a stream comes in chunks',
      () => {
        const pieces = async function* () {
          yield new TextEncoder().encode('a');
          await new Promise((resolve) => setImmediate(resolve));
          yield new TextEncoder().encode('b');
        };
        return new Response(ReadableStream.from(pieces()));
      },
      /\r\nTransfer-Encoding: chunked\r\n[\s\S]*1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/,
    ],
  ])('%s', async (_what, app, expected) => {
    expect(await ask({ fetch: app })).toMatch(expected);
  });

  it('whose stream fails right after its first piece is a 500', async () => {
    const service = await open(() => {
      let count = 0;
      const pull = (controller: ReadableStreamDefaultController) => {
        if (count++ > 0) throw new Error('boom');
        controller.enqueue(new TextEncoder().encode('a'));
      };
      return new Response(new ReadableStream({ pull }));
    });
    const client = await Client.open(service.port);
    const answer = await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(service.failures).toEqual([expect.objectContaining({ message: 'boom' })]);
  });

  it('to HEAD has no body', async () => {
    expect(await ask(() => new Response('hello'), 'HEAD /')).toMatch(/Content-Length: 5\r\n[\s\S]*\r\n\r\n$/);
  });

  it('passes for one of Node', async () => {
    const response = new Response('a', { headers: { 'X-A': 'a' } });
    expect([response instanceof Response, response.ok, response.status, response.headers.get('x-a')]).toEqual([
      true,
      true,
      200,
      'a',
    ]);
    expect([await response.text(), response.bodyUsed, Response.name]).toEqual(['a', true, 'Response']);
    expect(() => new Response('a', { status: 99 })).toThrow(RangeError);
    expect(() => new Response('a', { status: 204 })).toThrow(TypeError);
  });

  it('stops when the client has gone: its stream is cancelled', async () => {
    let tell = () => {};
    const cancelled = new Promise<void>((resolve) => (tell = resolve));
    const { port } = await open(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
            cancel: () => tell(),
          }),
        ),
    );
    const client = await Client.open(port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/200 OK/);
    client.socket.resetAndDestroy();
    await cancelled;
  });
});

describe('failures', () => {
  it.each<[string, Fetch, RegExp]>([
    [
      'thrown',
      () => {
        throw new Error('boom');
      },
      /boom/,
    ],
    [
      'of a promise',
      async () => {
        throw new Error('boom');
      },
      /boom/,
    ],
    ['to return a Response', () => 'text' as unknown as Response, /returns a Response, got "text"/],
    ['of Response.error()', () => Response.error(), /status/],
  ])('%s are a 500, and logged', async (_what, app, expected) => {
    const service = await open(app);
    const client = await Client.open(service.port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 500 /);
    expect(service.failures).toMatchObject([{ message: expect.stringMatching(expected) }]);
  });

  it('of a stream that has begun cut the connection', async () => {
    const service = await open(() => {
      const pieces = async function* () {
        yield new Uint8Array(3);
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('boom');
      };
      return new Response(ReadableStream.from(pieces()));
    });
    const client = await Client.open(service.port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\n\r\n')).not.toMatch(/0\r\n\r\n$/);
    expect(service.failures).toMatchObject([{ message: 'boom' }]);
  });
});

function throwsAt(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as Error).name;
  }
  return undefined;
}
