/** Every framework's example under tsgun, in each class: its answers are those that it gives on its usual server. */

import { readdirSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { start, type Tsgun } from '../integration/harness.ts';
import { frameworks, interfaceOf, lacksErrorPage, openUsual, type Usual } from './frameworks.ts';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** The two differ in what is the server's own: how a body is framed, and what is said about the connection. */
const ownFields = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'];

async function ask(url: string, { path, method = 'GET', headers = {}, body }: Asked) {
  const sent = request(`${url}${path}`, { method, headers: { Host: 'example.test', ...headers }, agent: false });
  sent.end(body);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject),
  );
  const fields: IncomingHttpHeaders = Object.fromEntries(
    Object.entries(response.headers).filter(([name]) => !ownFields.includes(name)),
  );
  if (fields['content-type'] !== undefined) fields['content-type'] = fields['content-type'].replace(/; /g, ';');
  // A stack shows where the server called the app.
  const whole = (await text(response)).replace(/<br>.*(?=<\/pre>)/s, '');
  return { status: response.statusCode, fields, body: whole };
}

const json = { 'Content-Type': 'application/json' };
const questions: Record<string, Asked> = {
  'a route': { path: '/' },
  'a route with a parameter and a query': { path: '/users/7?q=%C3%BC' },
  'a JSON body': { path: '/json', method: 'POST', headers: json, body: '{"a":[1,"ü"]}' },
  'a path that there is not': { path: '/nothing/here' },
  'a status of its choice': { path: '/teapot' },
  'a stream': { path: '/stream' },
  'an upload of 10 MB': {
    path: '/upload',
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: Buffer.alloc(10 * 1024 * 1024, 'x'),
  },
  cookies: { path: '/cookies', headers: { Cookie: 'c=3; d=4' } },
  'a HEAD request': { path: '/', method: 'HEAD' },
};

it('every folder of examples is one of these', () => {
  expect(readdirSync(folder).sort()).toEqual([...frameworks, 'websocket'].sort());
});

describe.each(Object.keys(registry))('in the %s class', (workerClass) => {
  describe.each(frameworks)('the example of %s', (name) => {
    let tsgun: Tsgun;
    let url: string;
    let usual: Usual;
    beforeAll(async () => {
      usual = await openUsual(name);
      tsgun = start(`${folder}${name}/app.ts`, ['--worker-class', workerClass, '--threads', '2'], { isShared: true });
      await tsgun.workers(1);
      url = (await tsgun.url()).replace(/\/$/, '');
    });
    afterAll(async () => {
      await usual[Symbol.asyncDispose]();
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
      expect(tsgun.lines('worker_spawned')).toHaveLength(1);
    });

    it(`is taken for what it is`, () => {
      expect(tsgun.lines('worker_ready')[0]).toMatchObject({ interface: interfaceOf(name) });
    });

    it.each(Object.entries(questions))('answers %s as on its usual server', async (_what, asked) => {
      const answer = await ask(url, asked);
      expect(answer).toEqual(await ask(usual.url, asked));
      if (asked.path === '/upload') expect(answer.body).toBe('{"bytes":10485760}');
    });

    if (lacksErrorPage(name))
      it('answers 500 where it throws, and the log says what', async () => {
        expect(await ask(url, { path: '/boom' })).toMatchObject({ status: 500 });
        expect(await tsgun.event('request_failed')).toMatchObject({ path: '/boom', error: 'boom' });
      });
    else
      it('answers a thrown error as on its usual server', async () => {
        expect(await ask(url, { path: '/boom' })).toEqual(await ask(usual.url, { path: '/boom' }));
      });
  });
});
