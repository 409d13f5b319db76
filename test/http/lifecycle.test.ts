/** What a connection waits for, how long, and how it ends. Timeouts here are short, and each test waits for their effect. */

import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { App } from '../../src/app/types.ts';
import { defaultTimeouts, type Timeouts } from '../../src/http/limits.ts';
import { onTestFinished } from '../current.ts';
import { Client } from './client.ts';
import { openInProcess } from './in-process.ts';

async function serve(app: App, timeouts: Partial<Timeouts> = {}) {
  const target = await openInProcess(app, { timeouts: { ...defaultTimeouts, ...timeouts } });
  onTestFinished(() => target.close());
  return { ...target, open: (allowHalfOpen = false) => Client.open(target.port, target.host, allowHalfOpen) };
}

const hello: App = (_env, startResponse) => {
  startResponse('200 OK', []);
  return ['hello'];
};
const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

describe('deadlines', () => {
  it('a head that does not come in time is answered 408, however it drips', async () => {
    const { open } = await serve(hello, { headerMs: 300 });
    const client = await open();
    client.send('GET / HT');
    const drip = setInterval(() => client.send('T'), 50);
    await client.closed;
    clearInterval(drip);
    expect(client.received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*Connection: close\r\n/);
  });

  it('a connection that never says anything is closed without an answer', async () => {
    const { open } = await serve(hello, { headerMs: 100 });
    const client = await open();
    await client.closed;
    expect(client.received).toBe('');
  });

  it('the head of a later request has its own time', async () => {
    const { open } = await serve(hello, { headerMs: 100 });
    const client = await open();
    client.send(`${get}GET /`);
    await client.closed;
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 408']);
  });

  it('an idle connection is closed after keep-alive', async () => {
    const { open } = await serve(hello, { keepAliveMs: 100 });
    const client = await open();
    client.send(get);
    await client.closed;
    expect(client.received).toMatch(/hello$/);
    expect(client.received).not.toMatch(/Connection/);
  });

  it('a request that came in time is answered, however late the server gets to read it', async () => {
    const { open } = await serve(hello, { keepAliveMs: 100 });
    const client = await open();
    client.send(get);
    await client.until(/hello$/);
    // Timers come next, then what is to be read.
    await new Promise((resolve) => setImmediate(resolve));
    client.send(get);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
    await client.closed;
    expect(client.received.match(/hello/g)).toHaveLength(2);
  });

  it('with a keep-alive of 0 every answer says so and closes', async () => {
    const { open } = await serve(hello, { keepAliveMs: 0 });
    const client = await open();
    expect(await client.exchange(get)).toMatch(/Connection: close\r\n/);
  });

  it('a body that falls silent is answered 408, and the app’s input ends with an error', async () => {
    const seen: string[] = [];
    const { open } = await serve(
      async (env, startResponse) => {
        try {
          for await (const piece of env['wsgi.input']) seen.push(String(piece));
        } catch (error) {
          seen.push((error as Error).name);
        }
        startResponse('200 OK', []);
        return [];
      },
      { bodyMs: 100 },
    );
    const client = await open();
    const received = await client.exchange('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(seen).toEqual(['abc', 'ClientGone']);
  });

  it('a client that takes nothing of its answer is cut', async () => {
    const events = new EventEmitter();
    const { open, server } = await serve(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return (async function* () {
          try {
            for (;;) yield Buffer.alloc(256 * 1024);
          } finally {
            events.emit('ended');
          }
        })();
      },
      { bodyMs: 200 },
    );
    const client = await open();
    client.socket.pause();
    const isEnded = once(events, 'ended');
    client.send(get);
    await isEnded;
    expect(server.connectionCount).toBe(0);
  });

  it('a slow app has all the time it wants', async () => {
    const { open } = await serve(
      async (_env, startResponse) => {
        await new Promise((resolve) => setTimeout(resolve, 1200));
        startResponse('200 OK', []);
        return ['late'];
      },
      { bodyMs: 100, headerMs: 100, keepAliveMs: 100 },
    );
    const client = await open();
    expect(await client.exchange(get)).toMatch(/late$/);
  });
});

describe('a closed connection', () => {
  it('that its client is slow to read loses nothing of its answer', async () => {
    const bytes = 700_000;
    const { open, server } = await serve((_env, startResponse) => {
      startResponse('200 OK', []);
      return ['x'.repeat(bytes)];
    });
    const client = await open();
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    // All of it is the kernel's by then, and has to wait there for the client.
    while (server.requests === 0 || server.connectionCount > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resume();
    await client.closed;
    expect(client.received.length - client.received.indexOf('\r\n\r\n') - 4).toBe(bytes);
  });
});

describe('a client that announced the end', () => {
  it('gets its answer also if more requests follow in the same packet, and those get none', async () => {
    const { open, server } = await serve(hello);
    const client = await open();
    client.send(`GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n${get.repeat(10_000)}`);
    await client.closed;
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
    expect(server.requests).toBe(1);
  });
});

describe('a body that is not in when its answer is complete', () => {
  it.each(['GET', 'HEAD', 'POST'])('resets nothing on the last request of a connection (%s)', async (method) => {
    for (const early of ['', 'x'.repeat(1000)]) {
      const { open } = await serve(hello);
      const client = await open();
      let error: Error | undefined;
      client.socket.on('error', (what) => (error = what));
      client.send(`${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n${early}`);
      await client.until(method === 'HEAD' ? /\r\n\r\n$/ : /hello$/);
      client.send('x'.repeat(5_000_000 - early.length));
      await client.closed;
      expect(error).toBeUndefined();
    }
  });

  it('may take its time: the connection stays while it comes', async () => {
    const { open } = await serve(hello);
    const client = await open(true);
    let error: Error | undefined;
    client.socket.on('error', (what) => (error = what));
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n');
    await once(client.socket, 'end');
    // Longer than a connection stays whose client is silent.
    for (let count = 0; count < 14; count++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      client.send('x'.repeat(1000));
    }
    expect(error).toBeUndefined();
    expect(client.socket.destroyed).toBe(false);
    client.socket.end();
    await client.closed;
    expect(client.received).toMatch(/hello$/);
    expect(error).toBeUndefined();
  });
});

describe('an answer that fails when it has begun', () => {
  const mixed: App = (env, startResponse) => {
    startResponse('200 OK', []);
    const [, kind, size = '5'] = env.PATH_INFO.split('/');
    if (kind === 'whole') return ['x'.repeat(Number(size))];
    if (kind === 'sync')
      return (function* () {
        yield 'begun';
        throw new Error('boom');
      })();
    if (kind === 'many')
      return (function* () {
        for (let count = 0; count < 100; count++) yield 'begun'.repeat(1000);
        throw new Error('boom');
      })();
    return (async function* () {
      yield 'begun';
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('boom');
    })();
  };
  const ask = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;

  it('and of which no byte is out is answered 500, and the connection goes on', async () => {
    const { open, failures } = await serve(mixed);
    const client = await open();
    const received = await client.exchange(
      ask('/whole') + ask('/sync') + ask('/sync') + ask('/whole', 'Connection: close\r\n'),
    );
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([200, 500, 500, 200].map((status) => `HTTP/1.1 ${status}`));
    expect(received).not.toContain('begun');
    expect(failures).toHaveLength(2);
  });

  it('keeps the interim answer that came before: a body may follow it', async () => {
    const { open } = await serve((env, startResponse) => {
      env['wsgi.input'].read();
      return mixed({ ...env, PATH_INFO: '/sync' }, startResponse);
    });
    const client = await open();
    client.send('POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
    expect(await client.exchange('abc')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 500 /);
  });

  it.each(['/later', '/many'])('costs none of the answers to requests that were sent before it: %s', async (path) => {
    const { open } = await serve(mixed);
    const client = await open();
    const received = await client.exchange(ask('/whole') + ask('/whole') + ask(path) + ask('/whole'));
    expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(received.match(/xxxxx/g)).toHaveLength(2);
    expect(received).toMatch(/begun\r\n$/);
  });

  it('costs nothing of a large one that is still on its way', async () => {
    const { open } = await serve(mixed);
    const client = await open();
    client.socket.pause();
    const aborted = client.exchange(ask('/whole/4000000') + ask('/later'));
    // All that the kernel takes is on its way before anything is read.
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.socket.resume();
    const received = await aborted;
    expect(received.match(/x+/)?.[0]).toHaveLength(4_000_000);
  });

  it('resets the connection where it was the only one: no client takes that for a complete answer', async () => {
    const { open } = await serve(mixed);
    const client = await open();
    const reset = once(client.socket, 'error');
    client.send(ask('/later'));
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});

describe('draining', () => {
  it('answers what runs, with Connection: close', async () => {
    const events = new EventEmitter();
    const { open, server } = await serve(async (_env, startResponse) => {
      events.emit('begun');
      await once(events, 'go');
      startResponse('200 OK', []);
      return ['done'];
    });
    const client = await open();
    const isBegun = once(events, 'begun');
    client.send(get);
    await isBegun;
    const drained = server.drain(1000);
    events.emit('go');
    await client.closed;
    expect(client.received).toMatch(/Connection: close\r\n[\s\S]*done$/);
    await drained;
  });

  it('answers a request that was on its way to an idle connection', async () => {
    const { open, server } = await serve(hello);
    const client = await open();
    client.send(get);
    await client.until(/hello$/);
    const drained = server.drain(1000);
    client.send(get);
    await client.closed;
    expect(client.received.match(/hello/g)).toHaveLength(2);
    expect(client.received).toMatch(/Connection: close\r\n[\s\S]*hello$/);
    await drained;
  });

  it('gives a new connection whose head has begun the time of any head', async () => {
    const { open, server } = await serve(hello);
    const [used, fresh] = [await open(), await open()];
    used.send(get);
    await used.until(/hello$/);
    while (server.connectionCount < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const drained = server.drain(1000);
    fresh.send('GET / HTTP/1.1\r\n');
    // By then the grace of idle connections is over.
    await used.closed;
    await new Promise((resolve) => setTimeout(resolve, 600));
    fresh.send('Host: h\r\n\r\n');
    await fresh.closed;
    expect(fresh.received).toMatch(/^HTTP\/1\.1 200 [\s\S]*Connection: close\r\n[\s\S]*hello$/);
    await drained;
  });

  it.each([1000, 0])('closes idle connections after a grace of %i ms, and ends when none is left', async (graceMs) => {
    const { open, server } = await serve(hello);
    const [used, fresh] = [await open(), await open()];
    used.send(get);
    await used.until(/hello$/);
    await server.drain(graceMs);
    await Promise.all([used.closed, fresh.closed]);
    expect(server.connectionCount).toBe(0);
  });
});

describe('half-closed clients (RFC 9112 §9.6)', () => {
  it('are answered, also when they pipelined', async () => {
    const { open } = await serve(hello);
    const client = await open(true);
    client.socket.end(get + get);
    await client.closed;
    expect(client.received.match(/hello/g)).toHaveLength(2);
  });

  it('get the answers to all that they pipelined, even from a slow app, and the app is told', async () => {
    const told: boolean[] = [];
    const { open } = await serve(async (env, startResponse) => {
      const { 'tsgun.signal': signal } = env;
      if (!signal.aborted) await once(signal, 'abort');
      told.push(signal.aborted);
      startResponse('200 OK', []);
      return ['hello'];
    });
    const client = await open(true);
    client.socket.end(get + get + get);
    await client.closed;
    expect(client.received.match(/hello/g)).toHaveLength(3);
    expect(client.received.match(/Connection: close/g)).toHaveLength(1);
    expect(told).toEqual([true, true, true]);
  });

  it('that reset while a request of theirs waits leave nothing behind', async () => {
    const { open, server } = await serve(async (env) => {
      await once(env['tsgun.signal'], 'abort');
      return [];
    });
    const client = await open();
    client.send(get + get);
    await expect.poll(() => server.running().length).toBe(1);
    client.socket.resetAndDestroy();
    await expect.poll(() => server.connectionCount).toBe(0);
  });

  it('that end inside a head or a body are told', async () => {
    const { open } = await serve(hello);
    for (const part of ['GET / HTTP/1.1\r\nHo', 'GET /']) {
      const client = await open(true);
      client.socket.end(part);
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    }
  });
});
