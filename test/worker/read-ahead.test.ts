/** Clients that send their bodies slowly hold up neither a thread nor a sync worker. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, start, type Tsgun } from '../integration/harness.ts';

/** Says when it begins, and sends the body back when it has all of it. */
const app = `
export default async (env, startResponse) => {
  env['wsgi.errors'].write(env.PATH_INFO + ' begins\\n');
  const pieces = [];
  for await (const piece of env['wsgi.input']) pieces.push(piece);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.concat(pieces)];
};
`;

const head = (path: string, ...fields: string[]) =>
  ['POST', path, `HTTP/1.1\r\n${['Host: h', 'Connection: close', ...fields, '', ''].join('\r\n')}`].join(' ');
const chunked = 'Transfer-Encoding: chunked';

describe.each([
  ['sync', []],
  ['threaded', ['--threads', '2']],
])('a worker of class %s', (workerClass, more) => {
  const folder = makeFolder({ 'app.mjs': app }, true);
  afterAll(() => rmSync(folder.path, { recursive: true }));
  const open = (args: readonly string[] = [], isShared = false) =>
    start(join(folder.path, 'app.mjs'), ['--worker-class', workerClass, ...more, ...args], { isShared });
  const begins = (tsgun: Tsgun, path: string) => tsgun.log.some(({ msg }) => msg === `${path} begins`);
  const stop = async (tsgun: Tsgun) => expect(await tsgun.stop()).toEqual({ code: 0, signal: null });

  describe('that has room for a whole body', () => {
    let tsgun: Tsgun;
    beforeAll(() => {
      tsgun = open([], true);
    });
    // The last test stops it.
    afterAll(async () => {
      if (tsgun.process.exitCode === null) await tsgun.stop();
    });

    it('serves others while as many clients as it runs requests, and more, send their bodies slowly', async () => {
      const clients = await Promise.all(Array.from({ length: 6 }, () => tsgun.connect()));
      for (const [index, client] of clients.entries()) {
        const isChunked = index % 2 === 0;
        client.send(head(`/slow-${index}`, isChunked ? chunked : 'Content-Length: 10'));
        client.send(isChunked ? '5\r\nhello\r\n' : 'hello');
      }
      for (let count = 0; count < 5; count++) {
        const other = await tsgun.connect();
        expect(await other.exchange(`${head('/other', 'Content-Length: 3')}abc`)).toMatch(/\r\n\r\nabc$/);
      }
      expect(tsgun.log.filter(({ msg }) => msg.startsWith('/slow'))).toEqual([]);
      for (const [index, client] of clients.entries())
        expect(await client.exchange(index % 2 === 0 ? '5\r\n you!\r\n0\r\n\r\n' : ' you!')).toMatch(
          /\r\n\r\nhello you!$/,
        );
    });

    it('tells a client that asks first to go on, before the app runs', async () => {
      const client = await tsgun.connect();
      client.send(head('/asking', 'Expect: 100-continue', 'Content-Length: 5'));
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      expect(await tsgun.ask('/other')).toBe('');
      expect(begins(tsgun, '/asking')).toBe(false);
      expect(await client.exchange('hello')).toMatch(
        /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [\s\S]*\r\n\r\nhello$/,
      );
    });

    it('finishes an upload that is under way when it is told to stop', async () => {
      const client = await tsgun.connect();
      client.send(`${head('/last', 'Content-Length: 10')}hello`);
      expect(await tsgun.ask('/other')).toBe('');
      const stopped = tsgun.stop();
      await tsgun.event('shutdown_started');
      expect(await client.exchange(' you!')).toMatch(/\r\n\r\nhello you!$/);
      expect(await stopped).toEqual({ code: 0, signal: null });
    });
  });

  describe('that reads up to a thousand bytes', () => {
    let tsgun: Tsgun;
    beforeAll(() => {
      tsgun = open(['--buffer-body', '1000'], true);
    });
    afterAll(() => stop(tsgun));

    it.each(['Content-Length: 5000', chunked])(
      'passes on what is longer as it arrives, from the limit on: %s',
      async (field) => {
        const path = field === chunked ? '/long-chunked' : '/long';
        const client = await tsgun.connect();
        const chunk = (text: string) => (field === chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text);
        client.send(head(path, field) + chunk('a'.repeat(1000)));
        expect(await tsgun.ask('/other')).toBe('');
        expect(begins(tsgun, path)).toBe(false);
        client.send(chunk('b'));
        await tsgun.until(() => begins(tsgun, path), 'the app to begin');
        const answer = await client.exchange(chunk('c'.repeat(3999)) + (field === chunked ? '0\r\n\r\n' : ''));
        expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toContain(`${'a'.repeat(1000)}b${'c'.repeat(3999)}`);
      },
    );
  });

  it('does not run the app for a client that leaves within its body, or is too slow with it', async () => {
    const tsgun = open(['--body-timeout', '0.5']);
    const gone = await tsgun.connect();
    gone.send(`${head('/gone', 'Content-Length: 10')}hello`);
    expect(await tsgun.ask('/other')).toBe('');
    gone.socket.resetAndDestroy();
    const slow = await tsgun.connect();
    expect(await slow.exchange(`${head('/slow', 'Content-Length: 10')}hello`)).toMatch(/^HTTP\/1\.1 408 /);
    expect(tsgun.log.filter(({ msg }) => /^\/(?:gone|slow) begins|failed/.test(msg))).toEqual([]);
    await stop(tsgun);
  });
});
