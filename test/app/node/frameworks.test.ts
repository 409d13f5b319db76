/** Apps of frameworks that are objects of their own kind: what is served is what stands behind them. */

import { createServer } from 'node:http';
import hapi from '@hapi/hapi';
import polka from 'polka';
import { expect, it } from 'vitest';
import { prepareApp } from '../../../src/app/interfaces.ts';
import { inject } from '../../../src/embed/inject.ts';

it('a Hapi server is initialized, answers without listening, and is stopped', async () => {
  const server = hapi.server({ port: 1 });
  const heard: string[] = [];
  server.ext('onPreStart', () => void heard.push('start'));
  server.ext('onPostStop', () => void heard.push('stop'));
  server.route({ method: 'POST', path: '/{name}', handler: ({ params, payload }) => ({ ...params, payload }) });
  const answer = await inject(server, {
    method: 'POST',
    url: '/a',
    headers: { 'Content-Type': 'text/plain' },
    body: 'b',
  });
  expect(await answer.json()).toEqual({ name: 'a', payload: 'b' });
  expect(server.listener.listening).toBe(false);
  expect(heard).toEqual(['start']);
  await (await prepareApp(server, 'auto')).close();
  expect(heard).toEqual(['start', 'stop']);
});

it('a Polka app answers with its middleware', async () => {
  const app = polka()
    .use((_req, res, next) => {
      res.setHeader('X-Used', 'yes');
      next();
    })
    .get('/:name', (req, res) => void res.end(`${req.params.name} ${req.query.a}`));
  const answer = await inject(app, '/b?a=1');
  expect([answer.headers.get('x-used'), await answer.text()]).toEqual(['yes', 'b 1']);
});

it('a server that stands on an http.Server from the start, as that of Restify does, is asked through it', async () => {
  const app = { server: createServer((_req, res) => res.end('inner')), use() {}, listen() {} };
  expect(await (await inject(app, '/')).text()).toBe('inner');
});
