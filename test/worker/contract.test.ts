/** What every worker class keeps: run against each one in the registry. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { type LogLine, start, type Tsgun } from '../integration/harness.ts';

const app = fileURLToPath(new URL('./contract-app.ts', import.meta.url));
const host = 'Host: h\r\n';
const close = `${host}Connection: close\r\n`;
let lastTag = 0;
/** For the query: tells one test's lines on `wsgi.errors` from another's. */
const tag = () => `t${++lastTag}`;

describe.each(Object.keys(registry))('a worker of class %s', (workerClass) => {
  /** What comes after the first answer on a connection, where there is no second one. */
  const isOnePerConnection = workerClass === 'sync';
  const firstOf = <T>(answers: T[]) => (isOnePerConnection ? answers.slice(0, 1) : answers);
  let tsgun: Tsgun;
  beforeAll(async () => {
    tsgun = start(app, ['--worker-class', workerClass], { isShared: true });
    await tsgun.workers(1);
  });
  afterAll(async () => {
    const pid = tsgun.living();
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    // Nothing that an app did wrong has cost the worker.
    expect(tsgun.lines('worker_spawned').map((line) => line.pid)).toEqual(pid);
  });

  const said = (text: string) => tsgun.until(() => tsgun.log.some(({ msg }) => msg === text), JSON.stringify(text));
  const failure = async (path: string): Promise<LogLine> => {
    const find = () => tsgun.lines('request_failed').find((line) => line.path === path);
    await tsgun.until(() => find() !== undefined, `request_failed for ${path}`);
    return find()!;
  };
  const raw = async (request: string) => (await tsgun.connect()).exchange(request);

  describe('answers', () => {
    it.each([
      ['/sync?q', 'sync GET q'],
      ['/async', 'async and ok'],
      ['/unicode', 'größer als 10 €'],
      ['/generator', 'ab'],
      ['/write', 'written, returned'],
    ])('of %s are complete', async (path, text) => {
      expect(await tsgun.get(path)).toMatchObject({ status: 200, text });
    });

    it('of many requests on one connection come in order', async () => {
      const requests = Array.from({ length: 50 }, (_, index) => `GET /sync?${index} HTTP/1.1\r\n${host}\r\n`);
      const received = await raw(`${requests.join('')}GET /sync?last HTTP/1.1\r\n${close}\r\n`);
      const answers = [...received.matchAll(/sync GET (\d+|last)/g)].map(([, number]) => number);
      expect(answers).toEqual(firstOf([...Array.from({ length: 50 }, (_, index) => String(index)), 'last']));
    });

    it('are made in an async context of their own', async () => {
      const asks = Array.from({ length: 20 }, (_, index) => tsgun.ask(`/context?${index}`));
      expect(await Promise.all(asks)).toEqual(asks.map((_, index) => `[undefined ${index}]`));
    });

    it('are made in an async context of their own, also of pipelined requests', async () => {
      const requests = Array.from({ length: 20 }, (_, at) => `GET /context?${at} HTTP/1.1\r\n${host}\r\n`);
      const received = await raw(`${requests.join('')}GET /context?last HTTP/1.1\r\n${close}\r\n`);
      const stores = [...received.matchAll(/\[undefined (\w+)\]/g)].map(([, store]) => store);
      expect(stores).toEqual(firstOf([...Array.from({ length: 20 }, (_, at) => String(at)), 'last']));
    });

    it('of a file are the file', async () => {
      expect((await tsgun.get('/file')).text).toMatch(/^\/\*\* What every worker class must[\s\S]*\}\n$/);
    });

    it('to HEAD have no body, and its length', async () => {
      const received = await raw(`HEAD /sync?q HTTP/1.1\r\n${close}\r\n`);
      expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 11\r\n[\s\S]*\r\n\r\n$/);
    });

    it.each(['204 No Content', '304 Not Modified'])('of %s have no body and no length', async (status) => {
      const path = status.slice(4).toLowerCase().replace(' ', '-');
      const received = await raw(`GET /${path} HTTP/1.1\r\n${host}\r\nGET /sync HTTP/1.1\r\n${close}\r\n`);
      expect(received.slice(0, received.indexOf('\r\n\r\n'))).not.toMatch(/Content-Length|Transfer-Encoding/);
      expect(received.match(/^HTTP\/1\.1 .*$/gm)).toEqual(firstOf([`HTTP/1.1 ${status}`, 'HTTP/1.1 200 OK']));
    });

    it('to HTTP/1.0 end with the connection, or say that it persists', async () => {
      expect(await raw('GET /generator HTTP/1.0\r\n\r\n')).toMatch(/Connection: close\r\n\r\nab$/);
      const kept = await raw('GET /sync HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /sync HTTP/1.0\r\n\r\n');
      expect(kept.match(/Connection: \S+/g)).toEqual(
        isOnePerConnection ? ['Connection: close'] : ['Connection: keep-alive', 'Connection: close'],
      );
    });

    it('may be preceded by early hints', async () => {
      const received = await raw(`GET /hints HTTP/1.1\r\n${close}\r\n`);
      expect(received).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: .*\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    });

    it('may replace one that was not sent yet, with excInfo', async () => {
      expect(await tsgun.get('/replaced')).toMatchObject({ status: 418, text: 'replaced' });
    });
  });

  describe('request bodies', () => {
    it('go up and come back, whatever their size', async () => {
      const url = await tsgun.url('/echo');
      for (const size of [1, 1000, 70_000, 3_000_000]) {
        const body = Buffer.alloc(size).map((_, index) => index % 251);
        const response = await fetch(url, { method: 'POST', body });
        expect(Buffer.from(await response.arrayBuffer()).equals(body), `${size} bytes`).toBe(true);
      }
    });

    it('that the app leaves unread are no part of the next request', async () => {
      const body = 'GET /throw HTTP/1.1\r\n\r\n';
      const post = `POST /unread HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`;
      const received = await raw(`${post}${post}GET /sync?after HTTP/1.1\r\n${close}\r\n`);
      expect(received.match(/did not read|sync GET after/g)).toEqual(
        firstOf(['did not read', 'did not read', 'sync GET after']),
      );
    });
  });

  describe('request bodies that go to the app as they arrive (--buffer-body 0)', () => {
    let streaming: Tsgun;
    beforeAll(async () => {
      streaming = start(app, ['--worker-class', workerClass, '--buffer-body', '0'], { isShared: true });
      await streaming.workers(1);
    });
    // The last test stops it.
    afterAll(async () => {
      if (streaming.process.exitCode === null) await streaming.stop();
      expect(streaming.lines('worker_spawned')).toHaveLength(1);
    });

    it('stream: a piece is answered before the next one is sent', async () => {
      const client = await streaming.connect();
      client.send(`POST /echo HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n`);
      for (const word of ['one', 'two', 'three']) {
        client.send(`${word.length}\r\n${word}\r\n`);
        await client.until(new RegExp(`${word}\r\n$`));
      }
      client.send('0\r\n\r\n');
      await client.closed;
      expect(client.received).toMatch(/\r\n0\r\n\r\n$/);
    });

    it.each(['GET', 'HEAD'])('of %s that come after the answer cost nobody the answer', async (method) => {
      const client = await streaming.connect();
      let error: Error | undefined;
      client.socket.on('error', (what) => (error = what));
      client.send(`${method} /unread HTTP/1.1\r\n${close}Content-Length: 3000000\r\n\r\n`);
      await client.until(method === 'GET' ? /did not read$/ : /\r\n\r\n$/);
      client.send('x'.repeat(3_000_000));
      await client.closed;
      expect(error).toBeUndefined();
    });

    it('are asked for with 100 Continue when the app reads, and not before', async () => {
      const client = await streaming.connect();
      client.send(`POST /echo HTTP/1.1\r\n${close}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.send('hello');
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*hello/);
      const unread = await (await streaming.connect()).exchange(
        `POST /unread HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      );
      expect(unread).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n/);
    });

    it('are still read when the worker is told to stop: it finishes what runs, and says so to the client', async () => {
      const client = await streaming.connect();
      client.send(`POST /gate HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\n`);
      await streaming.until(() => streaming.log.some(({ msg }) => msg === ' at the gate'), 'the request to run');
      const idle = await streaming.connect();
      const stopped = streaming.stop();
      // Idle connections are closed once the worker drains; in a worker that serves one at a time, when it is their turn.
      if (!isOnePerConnection) await idle.closed;
      client.send('x');
      await client.closed;
      await idle.closed;
      expect(client.received).toMatch(/Connection: close\r\n[\s\S]*through the gate$/);
      expect(await stopped).toEqual({ code: 0, signal: null });
    });
  });

  describe('failures', () => {
    it.each([
      ['/throw', 'thrown at once'],
      ['/reject', 'thrown later'],
      ['/inject', 'CR, LF'],
    ])('of %s are answered 500 without internals, and logged', async (path, message) => {
      const answer = await tsgun.get(path);
      expect(answer.status).toBe(500);
      expect(answer.text).toBe('500 Internal Server Error\nthe application failed\n');
      const line = await failure(path);
      expect(line).toMatchObject({ method: 'GET', outcome: 'answered 500' });
      expect(line.error).toContain(message);
      if (path !== '/inject') expect(line.stack).toContain('contract-app.ts');
    });

    it.each([
      ['/write-wrong', 'a body is made of texts and byte arrays, got number'],
      ['/write-long', 'the body is longer than its Content-Length of 3'],
      ['/write-name', 'not a header name: "no name"'],
    ])('of a write() that nobody awaits fail that request, and nothing else: %s', async (path, message) => {
      expect((await tsgun.get(path)).status).toBe(500);
      expect(await failure(path)).toMatchObject({ error: message, outcome: 'answered 500' });
      expect(tsgun.log.filter(({ msg }) => msg.startsWith('a thread ended'))).toEqual([]);
      expect((await tsgun.get('/sync')).status).toBe(200);
    });

    it('are logged with what caused them', async () => {
      await tsgun.get('/cause');
      const { error, stack } = await failure('/cause');
      expect(error).toBe('no prices');
      expect(stack).toMatch(/\[cause\]: AggregateError[\s\S]*\[errors\[1\]\]: Error: no answer from b/);
    });

    it.each(['/throw-begun', '/too-long', '/too-long-later', '/too-short'])(
      'of %s, begun, cut the connection',
      async (path) => {
        const client = await tsgun.connect();
        client.send(`GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
        await client.closed;
        expect(client.received).not.toMatch(/\n0\r\n\r\n/);
        expect(client.received).not.toContain('def');
        // What follows the last piece at once is seen before that goes out. A thread's other pieces are on their way at once;
        // elsewhere, a sync generator fails before a byte is out.
        const isThreaded = workerClass === 'threaded';
        const isOut = path === '/throw-begun' || (path === '/too-short' && isThreaded);
        expect((await failure(path)).outcome).toBe(isOut ? 'the connection was cut' : 'answered 500');
        if (!isOut) expect(client.received).toMatch(/^HTTP\/1\.1 500 /);
      },
    );

    it('of requests that were sent together cost none of the answers before', async () => {
      const whole = `GET /sync?whole HTTP/1.1\r\n${host}\r\n`;
      const received = await raw(`${whole}${whole}GET /throw-begun-later HTTP/1.1\r\n${host}\r\n`);
      expect(received.match(/sync GET whole|begun/g)).toEqual(firstOf(['sync GET whole', 'sync GET whole', 'begun']));
    });

    it('leave the next request alone', async () => {
      const received = await raw(`GET /throw HTTP/1.1\r\n${host}\r\nGET /sync HTTP/1.1\r\n${close}\r\n`);
      expect(received.match(/^HTTP\/1\.1 \d+/gm)).toEqual(firstOf(['HTTP/1.1 500', 'HTTP/1.1 200']));
    });
  });

  describe('a client that leaves', () => {
    it('aborts tsgun.signal', async () => {
      const id = tag();
      const client = await tsgun.connect();
      client.send(`GET /signal?${id} HTTP/1.1\r\n${host}\r\n`);
      await said(`${id} waiting`);
      client.socket.destroy();
      await said(`${id} aborted: ClientGone`);
    });

    it('has aborted it also for an app that looks later', async () => {
      const id = tag();
      const client = await tsgun.connect();
      client.send(`GET /late-signal?${id} HTTP/1.1\r\n${host}\r\n`);
      await said(`${id} not looking`);
      client.socket.end();
      await said(`${id} aborted: ClientGone`);
    });

    it('ends the body, which is closed', async () => {
      const id = tag();
      const client = await tsgun.connect();
      client.send(`GET /closed?${id} HTTP/1.1\r\n${host}\r\n`);
      await client.until(/x\r\n/);
      client.socket.destroy();
      await said(`${id} close() was called`);
      await said(`${id} the generator was ended`);
    });
  });

  it('an app runs no further ahead than its client reads', async () => {
    const id = tag();
    const client = await tsgun.connect();
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.pause();
    // The other classes hold answers for slow clients, lest these hold up others: three times as much is more than they hold.
    const path = workerClass === 'async' ? '/large' : '/larger';
    client.send(`GET ${path}?${id} HTTP/1.1\r\n${close}\r\n`);
    // Without back-pressure, all of it is made in less than that.
    await sleep(500);
    expect(tsgun.log.filter(({ msg }) => msg === `${id} all of it was taken`)).toEqual([]);
    client.socket.on('data', (piece) => (bytes += piece.length));
    client.socket.resume();
    await once(client.socket, 'end');
    expect(bytes).toBeGreaterThan(64 * 1024 * 1024);
    await said(`${id} all of it was taken`);
  });

  it('says in the environ what it is', async () => {
    const flags = JSON.parse((await tsgun.get('/flags')).text);
    expect(flags).toEqual({ multithread: workerClass === 'threaded', multiprocess: false });
  });

  describe('with a request timeout', () => {
    let limited: Tsgun;
    beforeAll(async () => {
      limited = start(app, ['--worker-class', workerClass, '--request-timeout', '0.5'], { isShared: true });
      await limited.workers(1);
    });
    afterAll(async () => {
      expect(await limited.stop()).toEqual({ code: 0, signal: null });
      expect(limited.lines('worker_spawned')).toHaveLength(1);
    });
    const timeout = async (path: string) => {
      const find = () => limited.lines('request_timeout').find((line) => line.path === path);
      await limited.until(() => find() !== undefined, `request_timeout for ${path}`);
      return find()!;
    };

    it.each(['/stuck', '/polite'])('%s is told, and its client answered 504', async (path) => {
      const id = tag();
      const { status, text } = await limited.get(`${path}?${id}`);
      expect({ status, text }).toEqual({ status: 504, text: '504 Gateway Timeout\nthe application took too long\n' });
      const line = await timeout(path);
      expect(line).toMatchObject({ method: 'GET', outcome: 'answered 504' });
      expect(line.ms).toBeGreaterThanOrEqual(500);
      expect(line.stack).toEqual(expect.any(String));
      expect(line.requests).toEqual([{ method: 'GET', path, ms: expect.any(Number) }]);
      const told = path === '/stuck' ? `${id} told: TimeoutError` : `${id} aborted: TimeoutError`;
      await limited.until(() => limited.log.some(({ msg }) => msg === told), told);
    });

    it('an app may answer yet when it is told', async () => {
      expect(await limited.get('/rescued')).toMatchObject({ status: 503, text: 'I did what I could' });
    });

    it('an app may have more time', async () => {
      expect(await limited.get('/extended')).toMatchObject({ status: 200, text: 'aborted: false' });
    });

    it('an answer that has begun is cut', async () => {
      const client = await limited.connect();
      client.send(`GET /stuck-begun HTTP/1.1\r\n${host}\r\n`);
      await client.closed;
      expect(client.received).toMatch(/begun\r\n$/);
      expect(await timeout('/stuck-begun')).toMatchObject({ outcome: 'the connection was cut' });
    });

    it('others are served after all that', async () => {
      for (let count = 0; count < 8; count++) expect((await limited.get('/sync')).status).toBe(200);
    });
  });
});
