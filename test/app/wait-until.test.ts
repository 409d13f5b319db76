/** Work that an app lets go on after its answer: a worker that leaves waits for it. */

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { fetchHandler } from '../../src/app/fetch/fetch.ts';
import type { Handler } from '../../src/app/handler.ts';
import type { NodeResponse } from '../../src/app/node/interface.ts';
import { nodeHandler } from '../../src/app/node/node.ts';
import { wsgiHandler } from '../../src/app/wsgi/wsgi.ts';
import { Client } from '../http/client.ts';
import { openHandler } from '../http/in-process.ts';
import { makeFolder, start } from '../integration/harness.ts';

type WaitUntil = (work: PromiseLike<unknown>) => void;
type Use = (waitUntil: WaitUntil) => void;

const ways: [name: string, make: (use: Use) => Handler][] = [
  [
    "env['tsgun.waitUntil']",
    (use) =>
      wsgiHandler(
        (env, startResponse) => {
          use(env['tsgun.waitUntil']);
          startResponse('200 OK', []);
          return ['answer'];
        },
        { multithread: false, multiprocess: false, onErrorLine: () => {} },
      ),
  ],
  [
    'res.waitUntil',
    (use) =>
      nodeHandler((_req, res) => {
        use((work) => (res as NodeResponse).waitUntil(work));
        res.end('answer');
      }),
  ],
  [
    'res.waitUntil of Express',
    (use) =>
      nodeHandler(
        express().get('/', (_req, res) => {
          use((work) => (res as unknown as NodeResponse).waitUntil(work));
          res.send('answer');
        }),
      ),
  ],
  [
    'res.waitUntil of an http.Server',
    (use) =>
      nodeHandler(
        createServer((_req, res) => {
          use((work) => (res as NodeResponse).waitUntil(work));
          res.end('answer');
        }),
      ),
  ],
  [
    'the second argument of fetch',
    (use) =>
      fetchHandler((_request, info) => {
        use((work) => info.waitUntil(work));
        return new Response('answer');
      }),
  ],
  [
    "Hono's c.executionCtx",
    (use) => {
      const app = new Hono().get('/', (c) => {
        use((work) => c.executionCtx.waitUntil(work as Promise<unknown>));
        return c.text('answer');
      });
      return fetchHandler({ fetch: (request, ...rest) => app.fetch(request, ...(rest as unknown as [])) });
    },
  ],
];

describe.each(ways)('%s', (_name, make) => {
  const ask = async (port: number) =>
    (await Client.open(port)).exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');

  it('holds up a drain until the work is over, and what that lets go on', async () => {
    const order: string[] = [];
    let finish = () => {};
    const service = await openHandler(
      make((waitUntil) => {
        const work = new Promise<void>((resolve) => (finish = resolve));
        waitUntil(
          work.then(() => {
            order.push('work');
            waitUntil(new Promise((resolve) => setImmediate(resolve)).then(() => order.push('more work')));
          }),
        );
      }),
    );
    expect(await ask(service.port)).toMatch(/\r\n\r\nanswer$/);
    const drained = service.server.drain(0).then(() => order.push('drained'));
    await expect.poll(() => service.server.connectionCount).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    finish();
    await drained;
    expect(order).toEqual(['work', 'more work', 'drained']);
    await service.close();
  });

  it('is out of time when the worker is, and takes a promise', async () => {
    const errors: Error[] = [];
    const service = await openHandler(
      make((waitUntil) => {
        waitUntil(new Promise(() => {}));
        try {
          waitUntil(5 as never);
        } catch (error) {
          errors.push(error as Error);
        }
      }),
    );
    expect(await ask(service.port)).toMatch(/\r\n\r\nanswer$/);
    expect(errors).toMatchObject([{ message: 'waitUntil takes a promise, got number' }]);
    // Gives up what is not over.
    await service.close();
  });

  it('logs what the work fails with, and the answer is not affected', async () => {
    const service = await openHandler(make((waitUntil) => waitUntil(Promise.reject(new Error('late')))));
    expect(await ask(service.port)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nanswer$/);
    expect(service.failures).toMatchObject([{ message: 'late' }]);
    await service.close();
  });
});

const app = `import { existsSync, writeFileSync } from 'node:fs';
export default (req, res) => {
  const isLate = req.url === '/late';
  res.waitUntil((async () => {
    if (isLate) throw new Error('late failure');
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 5));
    writeFileSync('done', '');
  })());
  res.end('answer');
};`;

it.each([['async'], ['sync'], ['threaded']])('a worker of class %s that leaves waits for it', async (workerClass) => {
  const folder = makeFolder({ 'app.mjs': app });
  const tsgun = start('app.mjs', ['-k', workerClass, '--interface', 'node', '--threads', '1'], { cwd: folder.path });
  expect(await tsgun.ask('/late')).toBe('answer');
  expect(await tsgun.event('request_failed')).toMatchObject({
    method: 'GET',
    path: '/late',
    error: 'late failure',
    outcome: 'the answer is not affected',
  });
  expect(await tsgun.ask('/work')).toBe('answer');
  // Another request runs beside what goes on.
  expect(await tsgun.ask('/late')).toBe('answer');
  const stopped = tsgun.stop();
  await tsgun.event('shutdown_started');
  // Longer than a thread without work would get to end.
  await new Promise((resolve) => setTimeout(resolve, workerClass === 'threaded' ? 1500 : 100));
  expect(tsgun.lines('worker_exited')).toEqual([]);
  folder.write('go', '');
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(existsSync(`${folder.path}/done`)).toBe(true);
});
