/** What an idle connection keeps of the request before: nothing, in every interface. */

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { fetchHandler } from '../../src/app/fetch/fetch.ts';
import type { Handler } from '../../src/app/handler.ts';
import { nodeHandler } from '../../src/app/node/node.ts';
import { wsgiHandler } from '../../src/app/wsgi/wsgi.ts';
import { onTestFinished } from '../current.ts';
import { Client } from '../http/client.ts';
import { openHandler } from '../http/in-process.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What the app was given, and what it has put there. */
type Note = (...objects: object[]) => void;

const wsgiOptions = { multithread: false, multiprocess: false, onErrorLine: () => {} };
const interfaces: Record<string, (note: Note) => Handler> = {
  'node, by events': (note) =>
    nodeHandler((req, res) => {
      const pieces: Buffer[] = [];
      req.on('data', (piece) => pieces.push(piece));
      req.on('end', () => {
        const body = Buffer.concat(pieces);
        note(req, res, Object.assign(req, { body }).body);
        res.end('answer');
      });
    }),
  'node, by iteration': (note) =>
    nodeHandler(async (req, res) => {
      const body = Buffer.concat(await req.toArray());
      note(req, res, Object.assign(req, { body }).body);
      res.end('answer');
    }),
  'node, unread': (note) =>
    nodeHandler((req, res) => {
      note(req, res);
      res.end('answer');
    }),
  'node, given up': (note) =>
    nodeHandler(async (req, res) => {
      note(req, res);
      for await (const _ of req) break;
      res.end('answer');
    }),
  wsgi: (note) =>
    wsgiHandler(async (env, startResponse) => {
      env.body = Buffer.concat(await env['wsgi.input'].toArray());
      note(env, env.body as Buffer, env['tsgun.signal']);
      startResponse('200 OK', []);
      return ['answer'];
    }, wsgiOptions),
  fetch: (note) =>
    fetchHandler(async (request) => {
      const body = await request.arrayBuffer();
      const response = new Response('answer');
      note(request, response, Object.assign(request, { kept: body }).kept);
      return response;
    }),
};

it.each(Object.entries(interfaces))('%s', async (_name, make) => {
  const given: WeakRef<object>[] = [];
  const service = await openHandler(make((...objects) => given.push(...objects.map((object) => new WeakRef(object)))));
  onTestFinished(() => service.close());
  const client = await Client.open(service.port);
  client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`);
  await client.until(/answer$/);
  expect(given.length).toBeGreaterThan(0);
  const isKept = async () => {
    await sleep(10);
    collectGarbage();
    return given.some((reference) => reference.deref() !== undefined);
  };
  await expect.poll(isKept, { timeout: 10_000 }).toBe(false);
  expect(client.socket.destroyed).toBe(false);
});
