/** What the node interface does for Express: its prototypes stand before the first line of it runs. */

import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express, { type Express } from 'express';
import express4 from 'express4';
import { describe, expect, it } from 'vitest';
import { nodeHandler } from '../../../src/app/node/node.ts';
import { hasPrototypes } from '../../../src/app/node/prototypes.ts';
import { onTestFinished } from '../../current.ts';
import { openHandler } from '../../http/in-process.ts';

async function ask(app: Parameters<typeof nodeHandler>[0], path = '/'): Promise<[status: number, body: unknown]> {
  const service = await openHandler(nodeHandler(app));
  onTestFinished(() => service.close());
  return get(service.port, path);
}

async function get(port: number, path = '/'): Promise<[number, unknown]> {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    send({ port, host: '127.0.0.1', path, agent: false }, resolve).on('error', reject).end(),
  );
  return [response.statusCode!, JSON.parse(await text(response))];
}

/** Everything that an app could meet of ours by its name. */
function showNames(app: Express): Express {
  return app.use((req, res) => void res.status(201).json([req, res].map((object) => Object.keys(object)))) as Express;
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as unknown as typeof express],
])('%s', (_, create) => {
  it('finds no name taken that Node leaves free', async () => {
    const server = createServer(showNames(create())).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const usual = (await get((server.address() as AddressInfo).port)) as [number, [string[], string[]]];
    server.close();
    const [status, names] = (await ask(showNames(create()))) as [number, [string[], string[]]];
    expect(status).toBe(201);
    const added = names.map((list, index) => list.filter((name) => !usual[1][index as 0 | 1].includes(name)));
    // Node's own methods, in the object itself.
    expect(added).toEqual([
      ['_read', '_destroy'],
      ['_storeHeader', '_send', '_writeRaw', '_finish'],
    ]);
  });

  it('gives its requests the prototype that they have', async () => {
    const app = create();
    const before = app.request;
    const isTheirs: boolean[] = [];
    app.use((req, res) => {
      isTheirs.push(Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response);
      isTheirs.push(Object.prototype.isPrototypeOf.call(before, req), req.constructor === before.constructor);
      res.json(null);
    });
    await ask(app);
    expect(isTheirs).toEqual([true, true, true, true]);
  });

  it('may be extended before and after, by the app and by what it is mounted in', async () => {
    const [inner, outer] = [create(), create()];
    inner.get(
      '/x',
      (req, res) => void res.json([Reflect.get(req, 'of'), Reflect.get(req, 'late'), req.baseUrl, req.app === inner]),
    );
    outer.get(
      '/x',
      (req, res) => void res.json([Reflect.get(req, 'of'), Reflect.get(req, 'late'), req.baseUrl, req.app === outer]),
    );
    Reflect.set(outer.request, 'of', 'outer');
    const service = await openHandler(nodeHandler(outer));
    onTestFinished(() => service.close());
    Reflect.set(outer.request, 'late', 1);
    outer.use('/inner', inner);
    expect(await get(service.port, '/x')).toEqual([200, ['outer', 1, '', true]]);
    expect(await get(service.port, '/inner/x')).toEqual([200, ['outer', 1, '/inner', true]]);
  });

  it('gets one more pair of prototypes, however many servers it has', async () => {
    const app = create().get('/', (_req, res) => void res.json(null)) as Express;
    await ask(app);
    const { request, response } = app;
    await ask(app);
    expect([app.request === request, app.response === response]).toEqual([true, true]);
  });

  it('is served as well behind an http.Server', async () => {
    const app = create().get('/', (req, res) => void res.json(Object.getPrototypeOf(req) === app.request)) as Express;
    expect(await ask(createServer(app))).toEqual([200, true]);
  });

  it('is left alone where its prototype would keep a request from being made', async () => {
    const app = create();
    Object.defineProperty(app.request, 'client', { get: () => 'mine', configurable: true });
    expect(hasPrototypes(app)).toBe(false);
    app.use((_req, res) => void res.json('served'));
    expect(await ask(app)).toEqual([200, 'served']);
  });
});

it.each([
  ['a handler', () => {}],
  ['a function with other things of that name', Object.assign(() => {}, { request: {}, response: {} })],
  ['nothing', undefined],
])('%s has no prototypes', (_, app) => expect(hasPrototypes(app)).toBe(false));
