/** What Node handlers and their clients see of each other, in every worker class. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { start, type Tsgun } from '../integration/harness.ts';

const app = fileURLToPath(new URL('./node-app.ts', import.meta.url));
const host = 'Host: h\r\n';

describe.each(Object.keys(registry))('a Node handler in a worker of class %s', (workerClass) => {
  let tsgun: Tsgun;
  beforeAll(async () => {
    // Else no handler would see a client leave in the middle of a small upload.
    const streaming = ['--buffer-body', '0'];
    const args = ['--worker-class', workerClass, '--interface', 'node', '--log-level', 'debug', ...streaming];
    tsgun = start(app, args, { isShared: true });
    await tsgun.workers(1);
  });
  afterAll(async () => {
    const pid = tsgun.living();
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    // Nothing that an app did wrong has cost the worker.
    expect(tsgun.lines('worker_spawned').map((line) => line.pid)).toEqual(pid);
  });

  const said = (text: string, count = 1) =>
    tsgun.until(() => tsgun.text.filter((line) => line === text).length >= count, text);
  const gaveUp = (path: string, count: number) =>
    tsgun.until(() => {
      const lines = tsgun.log.filter((line) => line.path === path && /gave up/.test(line.msg));
      return lines.length >= count;
    }, `the app to give up ${path}`);

  it('that fails because its client left a download is not logged as an error, whatever that is wrapped in', async () => {
    for (const fields of ['', 'X-Wrap: 1\r\n']) {
      const client = await tsgun.connect();
      client.send(`GET /download HTTP/1.1\r\n${host}${fields}\r\n`);
      await client.until(/xxx/);
      client.socket.resetAndDestroy();
      await client.closed;
    }
    await said('download over: false', 2);
    await gaveUp('/download', 2);
    expect(tsgun.lines('request_failed')).toEqual([]);
  });

  it('that fails because its client left an upload is not logged as an error', async () => {
    const client = await tsgun.connect();
    client.send(`POST /upload HTTP/1.1\r\n${host}Content-Length: 1000000\r\n\r\nabc`);
    // A reset that overtakes the request leaves nothing of it.
    await said('upload begun');
    client.socket.resetAndDestroy();
    await client.closed;
    await said('upload over');
    await gaveUp('/upload', 1);
    expect(tsgun.lines('request_failed')).toEqual([]);
  });
  it.each(['/break', '/throw', '/pipeline', '/take'])('may stop reading and answer: %s', async (path) => {
    for (const size of [3, 100_000, 3_000_000]) {
      const client = await tsgun.connect();
      client.send(`POST ${path} HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: ${size}\r\n\r\n`);
      expect(await client.exchange('x'.repeat(size)), `${size} bytes`).toMatch(/^HTTP\/1\.1 200 [\s\S]*answered$/);
    }
  });

  /** A client that reads nothing of the answer yet; by then, the worker has served others. */
  const openSlow = async (method: string, tag: string) => {
    const client = await tsgun.connect();
    client.socket.pause();
    client.send(`${method} /large?${tag} HTTP/1.1\r\n${host}\r\n`);
    await said(`${tag} ended, outstanding: true`);
    for (let count = 0; count < 5; count++) expect((await tsgun.get('/small')).text).toBe('small');
    return client;
  };
  const linesOf = (tag: string) =>
    tsgun.text.filter((line) => line.startsWith(tag)).map((line) => line.slice(tag.length + 1));
  const ended = 'ended, outstanding: true';

  it.each(['GET', 'POST'])(
    'hears of its writes, and of the end, when the client has taken them (%s)',
    async (method) => {
      const tag = `taken-${method}`;
      const client = await openSlow(method, tag);
      expect(linesOf(tag)).toEqual([ended]);
      client.socket.resume();
      await said(`${tag} close, finished: true, left: 0`);
      const writes = ['1 ', '2 ', '3 ', '4 ', '5 '];
      expect(linesOf(tag)).toEqual([
        ended,
        ...writes,
        'finish, finished: true, left: 0',
        'close, finished: true, left: 0',
      ]);
      client.socket.destroy();
    },
  );

  it.each(['GET', 'POST'])('is not told that an answer is finished whose client left (%s)', async (method) => {
    const tag = `left-${method}`;
    const client = await openSlow(method, tag);
    client.socket.resetAndDestroy();
    await said(`${tag} close, finished: false, left: 0`);
    const writes = linesOf(tag).filter((line) => /^\d/.test(line));
    expect(writes.map((line) => line[0])).toEqual(['1', '2', '3', '4', '5']);
    expect(linesOf(tag).filter((line) => line.startsWith('finish'))).toEqual([]);
  });
});
