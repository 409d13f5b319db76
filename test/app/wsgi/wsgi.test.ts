/** The rules of PEP 3333, seen from the client and from the app, through the real engine. */

import { EventEmitter, once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { App, Environ } from '../../../src/app/types.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { openInProcess } from '../../http/in-process.ts';

/** Serves an app in this process, for one test. */
async function serve(app: App) {
  const server = await openInProcess(app);
  onTestFinished(() => server.close());
  const open = () => Client.open(server.port);
  const ask = async (request: string) => (await open()).exchange(request.replaceAll('\n', '\r\n'));
  return { ...server, ask, open };
}

const get = 'GET / HTTP/1.1\nHost: h\nConnection: close\n\n';
const ok: [string, [string, string][]] = ['200 OK', [['Content-Type', 'text/plain']]];
/** An app with this body, which says that it has five bytes. */
const ofFiveBytes =
  (body: () => ReturnType<App>): App =>
  (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Length', '5']]);
    return body();
  };
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const never = new Promise<never>(() => {});

describe('the body', () => {
  it.each<[string, () => ReturnType<App>, string, RegExp]>([
    ['a list of one text', () => ['hello'], 'hello', /Content-Length: 5\r\n/],
    ['a list of several texts', () => ['he', '', 'llo'], 'hello', /Content-Length: 5\r\n/],
    ['an empty list', () => [], '', /Content-Length: 0\r\n/],
    ['texts and bytes', () => ['he', Buffer.from('llo')], 'hello', /Content-Length: 5\r\n/],
    ['a single text', () => 'hello', 'hello', /Content-Length: 5\r\n/],
    ['a byte array', () => new Uint8Array([104, 105]) as never, 'hi', /Content-Length: 2\r\n/],
    ['text beyond ASCII, sent as UTF-8', () => ['é'], 'Ã©', /Content-Length: 2\r\n/],
    ['a promise', async () => ['hello'], 'hello', /Content-Length: 5\r\n/],
    [
      'a generator',
      function* () {
        yield 'he';
        yield 'llo';
      },
      '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      /Transfer-Encoding: chunked\r\n/,
    ],
    [
      'an async generator',
      async function* () {
        yield 'he';
        yield '';
        yield 'llo';
      } as never,
      '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      /Transfer-Encoding: chunked\r\n/,
    ],
    [
      'a stream',
      () => Readable.from([Buffer.from('he'), Buffer.from('llo')]),
      '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      /Transfer-Encoding: chunked\r\n/,
    ],
  ])('%s is sent', async (_, body, expected, framing) => {
    const { ask, failures } = await serve((_env, startResponse) => {
      startResponse(...ok);
      return body();
    });
    const answer = await ask(get);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(framing);
    expect(bodyOf(answer)).toBe(expected);
    expect(failures).toEqual([]);
  });

  it('of a generator goes to an HTTP/1.0 client without chunks, and ends with the connection', async () => {
    const { ask } = await serve(function* (_env: Environ, startResponse: Parameters<App>[1]) {
      startResponse(...ok);
      yield 'he';
      yield 'llo';
    } as App);
    const answer = await ask('GET / HTTP/1.0\n\n');
    expect(answer).not.toMatch(/Transfer-Encoding|Content-Length/);
    expect(bodyOf(answer)).toBe('hello');
  });

  it.each(['HEAD / HTTP/1.1', 'GET /204 HTTP/1.1', 'GET /304 HTTP/1.1'])('is not sent for %s', async (line) => {
    const { ask } = await serve((env, startResponse) => {
      startResponse(env.PATH_INFO === '/' ? '200 OK' : `${env.PATH_INFO.slice(1)} Nothing`, []);
      return ['hello'];
    });
    expect(bodyOf(await ask(`${line}\nHost: h\nConnection: close\n\n`))).toBe('');
  });
});

describe('startResponse (PEP 3333, "The start_response() Callable")', () => {
  it('says nothing until the first piece that is not empty: until then, excInfo can change the answer', async () => {
    const { ask } = await serve(function* (_env: Environ, startResponse: Parameters<App>[1]) {
      startResponse('200 OK', []);
      yield '';
      startResponse('503 Later', [['Retry-After', '1']], new Error('changed my mind'));
      yield 'later';
    } as App);
    expect(await ask(get)).toMatch(/^HTTP\/1\.1 503 Later\r\nRetry-After: 1\r\n/);
  });

  it.each<[string, App, RegExp]>([
    [
      'called twice without excInfo',
      (_e, s) => {
        s(...ok);
        s(...ok);
        return [];
      },
      /called twice/,
    ],
    ['never called', () => ['hello'], /did not call startResponse/],
    [
      'a status without a reason',
      (_e, s) => {
        s('200', []);
        return [];
      },
      /a status is a text such as "200 OK"/,
    ],
    [
      'an interim status',
      (_e, s) => {
        s('100 Continue', []);
        return [];
      },
      /a status is a text/,
    ],
    [
      'a line break in the status',
      (_e, s) => {
        s('200 OK\r\nX: y', []);
        return [];
      },
      /a status is a text/,
    ],
    [
      'a line break in a value',
      (_e, s) => {
        s('200 OK', [['X', 'a\r\nSet-Cookie: b']]);
        return [];
      },
      /header X: CR, LF/,
    ],
    [
      'a NUL in a value',
      (_e, s) => {
        s('200 OK', [['X', 'a\0']]);
        return [];
      },
      /header X: CR, LF/,
    ],
    [
      'a space in a name',
      (_e, s) => {
        s('200 OK', [['X Y', 'a']]);
        return [];
      },
      /not a header name: "X Y"/,
    ],
    [
      'a number for a value',
      (_e, s) => {
        s('200 OK', [['Content-Length', 5 as never]]);
        return ['hello'];
      },
      /a pair of texts/,
    ],
    [
      'a hop-by-hop header',
      (_e, s) => {
        s('200 OK', [['Transfer-Encoding', 'chunked']]);
        return [];
      },
      /belongs to the connection/,
    ],
    [
      'an object for headers',
      (_e, s) => {
        s('200 OK', { a: 'b' } as never);
        return [];
      },
      /needs a list/,
    ],
    [
      'a longer body than its Content-Length',
      (_e, s) => {
        s('200 OK', [['Content-Length', '2']]);
        return ['hello'];
      },
      /has 5 bytes, but its Content-Length says 2/,
    ],
    [
      'a shorter one',
      (_e, s) => {
        s('200 OK', [['Content-Length', '9']]);
        return ['hello'];
      },
      /has 5 bytes, but its Content-Length says 9/,
    ],
    [
      'a piece behind the last one that its Content-Length has room for',
      ofFiveBytes(async function* () {
        yield 'hello';
        yield ' world';
      }),
      /longer than its Content-Length of 5/,
    ],
    [
      'such a piece of a sync generator',
      ofFiveBytes(function* () {
        yield 'hello';
        yield ' world';
      }),
      /longer than its Content-Length of 5/,
    ],
    [
      'a failure right behind the last piece',
      ofFiveBytes(async function* () {
        yield 'hello';
        throw new Error('oh no');
      }),
      /oh no/,
    ],
    [
      'headers of a generator that are no pairs',
      (_e, s) => {
        s('200 OK', [[5, 'a'], ['Content-Length']] as never);
        return (function* () {
          yield 'hello';
        })();
      },
      /a pair of texts/,
    ],
    [
      'a body that is none',
      (_e, s) => {
        s(...ok);
        return 7 as never;
      },
      /an app returns an iterable body/,
    ],
    [
      'a body of numbers',
      (_e, s) => {
        s(...ok);
        return [7] as never;
      },
      /made of texts and byte arrays, got number/,
    ],
    [
      'an app that throws',
      () => {
        throw new Error('oh no');
      },
      /oh no/,
    ],
    [
      'an app that rejects',
      async () => {
        throw new Error('oh no');
      },
      /oh no/,
    ],
  ])('%s becomes a 500 that shows no internals', async (_, app, reason) => {
    const { ask, failures } = await serve(app);
    const answer = await ask(get);
    expect(answer).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(bodyOf(answer)).toBe('500 Internal Server Error\nthe application failed\n');
    expect(failures).toHaveLength(1);
    expect(String(failures[0])).toMatch(reason);
  });

  it('gives a function that sends pieces at once, ahead of the body', async () => {
    const { ask } = await serve((_env, startResponse) => {
      const write = startResponse(...ok);
      void write('first ');
      return ['second'];
    });
    expect(bodyOf(await ask(get))).toBe('6\r\nfirst \r\n6\r\nsecond\r\n0\r\n\r\n');
  });
});

it('a body is not asked for more once its client has left', async () => {
  const asked: string[] = [];
  let leave = () => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  const body = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        asked.push('next');
        if (asked.length === 2) await left;
        return { done: false, value: 'piece' };
      },
      return: async () => {
        asked.push('return');
        return { done: true as const, value: undefined };
      },
    }),
  };
  const { port } = await serve((_env, startResponse) => {
    startResponse(...ok);
    return body;
  });
  const client = await Client.open(port);
  client.send(get.replaceAll('\n', '\r\n'));
  await client.until(/piece/);
  client.socket.resetAndDestroy();
  await expect.poll(() => asked).toContain('return');
  leave();
  await new Promise(setImmediate);
  expect(asked).toEqual(['next', 'next', 'return']);
});

describe('write() that is refused', () => {
  /** What nobody awaits. */
  const watchRejections = () => {
    const seen: unknown[] = [];
    const note = (reason: unknown) => seen.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    return seen;
  };

  it.each<[string, [string, string][], unknown, RegExp]>([
    ['a wrong piece', [], 5, /a body is made of texts and byte arrays, got number/],
    ['more than its Content-Length', [['Content-Length', '3']], 'too long', /longer than its Content-Length of 3/],
    ['a bad field name', [['no name', '1']], 'piece', /not a header name/],
  ])('and not awaited fails the request: %s', async (_what, fields, piece, reason) => {
    const rejections = watchRejections();
    for (const rest of [() => [], () => ['x'], () => ['x', 'y'].values(), () => 'text']) {
      let isClosed = false;
      const { ask, failures } = await serve(async (_env, startResponse) => {
        const write = startResponse('200 OK', fields);
        void write(piece as string);
        void write('another').then(() => {});
        await new Promise((resolve) => setTimeout(resolve, 1));
        const body = rest();
        return typeof body === 'string' ? body : (Object.assign(body, { close: () => (isClosed = true) }) as never);
      });
      expect(await ask(get)).toMatch(/^HTTP\/1\.1 500 /);
      expect(failures.map(String)).toEqual([expect.stringMatching(reason)]);
      expect(isClosed).toBe(typeof rest() !== 'string');
    }
    expect(rejections).toEqual([]);
  });

  it('can be handled by an app that awaits it', async () => {
    const { ask, failures } = await serve(async (_env, startResponse) => {
      const write = startResponse('200 OK', [['Content-Length', '3']]);
      await write('too long').catch(() => write('abc'));
      return [];
    });
    expect(bodyOf(await ask(get))).toBe('abc');
    expect(failures).toEqual([]);
  });

  it('can be followed by another answer, with excInfo', async () => {
    const { ask, failures } = await serve((_env, startResponse) => {
      void startResponse(...ok)(5 as never);
      startResponse('503 Later', [], new Error('changed my mind'));
      return ['later'];
    });
    expect(await ask(get)).toMatch(/^HTTP\/1\.1 503 Later\r\n[\s\S]*later$/);
    expect(failures).toEqual([]);
  });

  it('after the answer is logged once, and fails nothing', async () => {
    const rejections = watchRejections();
    const late = new EventEmitter();
    const { ask, open, failures } = await serve((env, startResponse) => {
      const write = startResponse(...ok);
      const isFirst = env.PATH_INFO === '/first';
      if (isFirst) setTimeout(async () => late.emit('written', await write('late'), await write('later')));
      return [isFirst ? 'first' : 'second'];
    });
    const written = once(late, 'written');
    const client = await open();
    client.send('GET /first HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/first$/);
    await written;
    expect(bodyOf(await ask(get))).toBe('second');
    expect(failures.map(String)).toEqual([
      'AppError: a body was written to after its end: end it after the last write',
    ]);
    expect(client.received).not.toMatch(/late/);
    expect(rejections).toEqual([]);
  });
});

describe('write() to a slow client', () => {
  it('resolves, each of several, when the client has taken what was written', async () => {
    const all = new EventEmitter();
    const { open } = await serve(async (_env, startResponse) => {
      const write = startResponse(...ok);
      const piece = Buffer.alloc(4_000_000, 'x');
      const pieces = [write(piece), write(piece), write(piece)];
      all.emit('begun');
      await Promise.all(pieces);
      all.emit('written');
      return ['end'];
    });
    const client = await open();
    const begun = once(all, 'begun');
    const written = once(all, 'written');
    client.socket.pause();
    client.send(get.replaceAll('\n', '\r\n'));
    await begun;
    client.socket.resume();
    await written;
    await client.closed;
    expect(bodyOf(client.received)).toMatch(/\r\n3\r\nend\r\n0\r\n\r\n$/);
  });

  it('that has gone does not keep the process from others, however much is written', async () => {
    const events = new EventEmitter();
    const { ask, open } = await serve(async (env, startResponse) => {
      const write = startResponse(...ok);
      if (env.PATH_INFO !== '/gone') return ['other'];
      await write('begun');
      await once(env['tsgun.signal'], 'abort');
      for (let isOver = false; !isOver; ) {
        events.once('over', () => (isOver = true));
        await write('x');
      }
      events.emit('ended');
      return [];
    });
    events.setMaxListeners(0);
    const client = await open();
    client.send('GET /gone HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/begun/);
    client.socket.resetAndDestroy();
    expect(bodyOf(await ask(get))).toBe('other');
    const ended = once(events, 'ended');
    events.emit('over');
    await ended;
  });
});

describe('a failure after the answer has begun', () => {
  it.each<[string, App]>([
    [
      'an error in the body',
      async function* (_e: Environ, s: Parameters<App>[1]) {
        s(...ok);
        yield 'he';
        throw new Error('midway');
      } as never,
    ],
    [
      'more than Content-Length',
      function* (_e: Environ, s: Parameters<App>[1]) {
        s('200 OK', [['Content-Length', '3']]);
        yield 'he';
        yield 'llo';
      } as never,
    ],
    [
      'less than Content-Length',
      function* (_e: Environ, s: Parameters<App>[1]) {
        s('200 OK', [['Content-Length', '9']]);
        yield 'he';
      } as never,
    ],
  ])('cuts the connection, so that the client can tell: %s', async (_, app) => {
    const { ask, failures } = await serve(app);
    const answer = await ask(get);
    expect(answer).not.toMatch(/0\r\n\r\n$|hello/);
    expect(failures).toHaveLength(1);
  });
});

describe('the environ (PEP 3333, "environ Variables")', () => {
  it('has the keys of the PEP, and the request', async () => {
    let seen: Environ | undefined;
    const { ask, port } = await serve((env, startResponse) => {
      seen = env;
      startResponse(...ok);
      return [];
    });
    await ask(
      'POST /a%20b/%C3%A9%zz?x=%20 HTTP/1.1\nHost: example.org\nContent-Type: text/x\nContent-Length: 0\nX-Two: 1\nx-two: 2\nCookie: a\nCookie: b\nX_Spoof: no\nConnection: close\n\n',
    );
    expect(seen).toMatchObject({
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: '',
      PATH_INFO: '/a b/\xc3\xa9%zz',
      QUERY_STRING: 'x=%20',
      RAW_URI: '/a%20b/%C3%A9%zz?x=%20',
      CONTENT_TYPE: 'text/x',
      CONTENT_LENGTH: '0',
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: String(port),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      HTTP_HOST: 'example.org',
      HTTP_X_TWO: '1, 2',
      HTTP_COOKIE: 'a; b',
      'wsgi.version': [1, 0],
      'wsgi.url_scheme': 'http',
      'wsgi.multithread': false,
      'wsgi.multiprocess': false,
      'wsgi.run_once': false,
      'wsgi.input_terminated': true,
    });
    expect(Object.keys(seen!)).toEqual(
      expect.arrayContaining(['wsgi.input', 'wsgi.errors', 'wsgi.file_wrapper', 'tsgun.signal']),
    );
    expect(Object.keys(seen!).filter((key) => /SPOOF|HTTP_CONTENT/.test(key))).toEqual([]);
  });

  it('joins the fields of one name however it is written, also a name that is too long to be remembered', async () => {
    const seen: Environ[] = [];
    const { ask } = await serve((env, startResponse) => {
      seen.push(env);
      startResponse(...ok);
      return [];
    });
    const long = `X-${'Y'.repeat(100)}`;
    const fields = `X-Both: 1\n${long}: 1\nx-both: 2\n${long.toLowerCase()}: 2\n${long}: 3\nX-BOTH: 3`;
    for (const ending of ['a', 'b'])
      await ask(`GET / HTTP/1.1\nHost: h\n${fields}\nX-Last: ${ending}\nConnection: close\n\n`);
    await ask('GET / HTTP/1.1\nHost: h\nx-both: 4\nConnection: close\n\n');
    expect(seen.map((env) => env.HTTP_X_BOTH)).toEqual(['1, 2, 3', '1, 2, 3', '4']);
    expect(seen.map((env) => env[`HTTP_X_${'Y'.repeat(100)}`])).toEqual(['1, 2, 3', '1, 2, 3', undefined]);
    expect(seen.map((env) => env.HTTP_X_LAST)).toEqual(['a', 'b', undefined]);
  });

  it('can be copied by middleware, which may replace the input', async () => {
    const inner: App = async (env, startResponse) => {
      startResponse(...ok);
      return [(await env['wsgi.input'].toArray()).join('')];
    };
    const { ask } = await serve((env, startResponse) => {
      if (env.PATH_INFO === '/copy') return inner({ ...env, SCRIPT_NAME: '/copy' }, startResponse);
      env['wsgi.input'] = Readable.from(['replaced']);
      return inner(env, startResponse);
    });
    const post = (path: string) => ask(`POST ${path} HTTP/1.1\nHost: h\nContent-Length: 4\nConnection: close\n\nsent`);
    expect(bodyOf(await post('/copy'))).toBe('sent');
    expect(bodyOf(await post('/'))).toBe('replaced');
  });

  it('takes lines for the error log', async () => {
    const { ask, errorLines } = await serve((env, startResponse) => {
      env['wsgi.errors'].write('one\ntwo\n');
      startResponse(...ok);
      return [];
    });
    await ask(get);
    expect(errorLines).toEqual(['one', 'two']);
  });

  it('takes lines for the error log from what is piped there, of one request after the other', async () => {
    const { ask, errorLines } = await serve(async (env, startResponse) => {
      await pipeline(Readable.from(['one\ntw', 'o']), env['wsgi.errors']);
      (env['wsgi.errors'] as Writable).destroy();
      startResponse(...ok);
      return [];
    });
    await ask(get);
    await ask(get);
    expect(errorLines).toEqual(['one', 'two', 'one', 'two']);
  });

  it('takes an error line that never ends in pieces', async () => {
    const { ask, errorLines } = await serve((env, startResponse) => {
      for (let count = 0; count < 100; count++) env['wsgi.errors'].write('x'.repeat(1000));
      startResponse(...ok);
      return [];
    });
    await ask(get);
    expect(errorLines).toEqual(['x'.repeat(66_000)]);
  });

  it('fails by early hints that belong to the connection, or would split the answer', async () => {
    const told: string[] = [];
    const { ask } = await serve((env, startResponse) => {
      const hint = (name: string, value: string) => {
        try {
          env['wsgi.early_hints']([[name, value]]);
        } catch (error) {
          told.push((error as Error).message);
        }
      };
      hint('Transfer-Encoding', 'chunked');
      hint('X-A', 'a\r\n\r\nHTTP/1.1 200 OK');
      hint('Content-Length', '5');
      startResponse(...ok);
      return ['hello'];
    });
    expect(await ask(get)).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(told).toEqual([
      expect.stringContaining('Transfer-Encoding belongs to the connection'),
      expect.stringContaining('header X-A: CR, LF'),
    ]);
  });

  it('sends early hints ahead of the answer', async () => {
    const { ask } = await serve((env, startResponse) => {
      env['wsgi.early_hints']([['Link', '</s.css>; rel=preload']]);
      startResponse(...ok);
      return ['hello'];
    });
    expect(await ask(get)).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/s\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });
});

describe('wsgi.input', () => {
  const echo: App = async function* (env: Environ, startResponse: Parameters<App>[1]) {
    startResponse(...ok);
    for await (const piece of env['wsgi.input']) yield piece;
  } as never;

  it('is the body, with a length or in chunks, and ends by itself', async () => {
    const { ask } = await serve(echo);
    const sized = await ask('POST / HTTP/1.1\nHost: h\nContent-Length: 5\nConnection: close\n\nhello');
    expect(bodyOf(sized)).toBe('5\r\nhello\r\n0\r\n\r\n');
    const chunked = await ask(
      'POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nConnection: close\n\n5\nhello\n0\n\n',
    );
    expect(bodyOf(chunked)).toBe('5\r\nhello\r\n0\r\n\r\n');
    expect(bodyOf(await ask(get))).toBe('');
  });

  it('left unread is never taken for the next request', async () => {
    const { open } = await serve((env, startResponse) => {
      startResponse(...ok);
      return [env.PATH_INFO];
    });
    const client = await open();
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
    client.send(`POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    const received = await client.exchange('GET /two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(received.match(/\/one|\/two|\/smuggled/g)).toEqual(['/one', '/two']);
  });

  it('asks for the body only when it is read (RFC 9110 §10.1.1)', async () => {
    const { open } = await serve((env, startResponse) => {
      if (env.PATH_INFO === '/echo') return echo(env, startResponse);
      startResponse('403 No', []);
      return [];
    });
    const asking = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`;
    const reader = await open();
    reader.send(asking('/echo'));
    await reader.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    reader.send('hello');
    await reader.until(/5\r\nhello\r\n0\r\n\r\n$/);
    const refused = await (await open()).exchange(asking('/no'));
    expect(refused).toMatch(/^HTTP\/1\.1 403 No\r\n[\s\S]*Connection: close\r\n/);
  });
});

describe('a client that goes away', () => {
  it('aborts tsgun.signal, ends the body’s iterator and calls close(), even while the body waits', async () => {
    const steps: string[] = [];
    const events = new EventEmitter();
    const { open, failures } = await serve((env, startResponse) => {
      env['tsgun.signal'].addEventListener('abort', () => steps.push('aborted'));
      startResponse(...ok);
      let count = 0;
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () => (count++ === 0 ? { done: false, value: 'first' } : never),
          return: async () => {
            steps.push('returned');
            return { done: true, value: undefined };
          },
        }),
        close: () => {
          steps.push('closed');
          events.emit('closed');
        },
      };
    });
    const client = await open();
    client.send(get.replaceAll('\n', '\r\n'));
    await client.until(/first/);
    const isClosed = once(events, 'closed');
    client.socket.resetAndDestroy();
    await isClosed;
    expect(new Set(steps)).toEqual(new Set(['aborted', 'returned', 'closed']));
    expect(failures).toEqual([]);
  });

  it('or has only closed its half aborts tsgun.signal, and is still answered', async () => {
    const { open } = await serve(async (env, startResponse) => {
      await once(env['tsgun.signal'], 'abort');
      startResponse(...ok);
      return ['still here'];
    });
    const client = await open();
    client.socket.end('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.closed;
    expect(bodyOf(client.received)).toBe('still here');
  });

  it('that stops reading stops the app from producing', async () => {
    let produced = 0;
    const events = new EventEmitter();
    const piece = Buffer.alloc(64 * 1024);
    const { open } = await serve((_env, startResponse) => {
      startResponse(...ok);
      return (async function* () {
        try {
          for (; produced < 10_000; produced++) yield piece;
        } finally {
          events.emit('ended');
        }
      })();
    });
    const client = await open();
    client.socket.pause();
    client.send(get.replaceAll('\n', '\r\n'));
    let before = -1;
    while (produced === 0 || produced !== before) {
      before = produced;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(produced).toBeLessThan(1000);
    const isEnded = once(events, 'ended');
    client.socket.destroy();
    await isEnded;
  });
});

describe('close() on the body', () => {
  it.each<[string, () => ReturnType<App>]>([
    ['a list', () => Object.assign(['x'], {})],
    [
      'a generator that ends',
      function* () {
        yield 'x';
      },
    ],
    [
      'one that throws',
      function* () {
        yield 'x';
        throw new Error('midway');
      },
    ],
  ])('is called once for %s', async (_, make) => {
    let closed = 0;
    const { ask } = await serve((_env, startResponse) => {
      startResponse(...ok);
      return Object.assign(make() as object, { close: () => void closed++ }) as never;
    });
    await ask(get);
    expect(closed).toBe(1);
  });
});

describe('wsgi.file_wrapper', () => {
  type Wrapper = Environ['wsgi.file_wrapper'];
  const pieces = ['he', Buffer.from('llo')];
  /** The file-like object of the PEP. */
  const fileLike = (closed: string[]) => ({
    at: 0,
    read(size: number) {
      expect(size).toBe(8192);
      return pieces[this.at++] ?? '';
    },
    close: () => void closed.push('closed'),
  });
  const made: [string, (wrap: Wrapper, closed: string[]) => ReturnType<Wrapper>][] = [
    ['is called, as in the PEP', (wrap) => wrap(Readable.from(pieces))],
    ['may be used as a class', (Wrap) => new Wrap(Readable.from(pieces))],
    ['takes an object with read(size), and closes it', (wrap, closed) => wrap(fileLike(closed), 8192)],
    ['takes the streams of the web', (wrap) => wrap(new Blob(pieces).stream())],
  ];

  it.each(made)('%s', async (name, make) => {
    const closed: string[] = [];
    const { ask } = await serve((env, startResponse) => {
      startResponse('200 OK', [['Content-Length', '5']]);
      return make(env['wsgi.file_wrapper'], closed);
    });
    expect(bodyOf(await ask(get))).toBe('hello');
    expect(closed).toEqual(name.includes('closes') ? ['closed'] : []);
  });

  it('refuses what it cannot read', async () => {
    const { ask, failures } = await serve((env, startResponse) => {
      startResponse(...ok);
      return env['wsgi.file_wrapper']('name' as never);
    });
    expect(await ask(get)).toMatch(/^HTTP\/1\.1 500 /);
    expect(failures).toMatchObject([{ message: expect.stringContaining('an object with read(size)') }]);
  });
});
