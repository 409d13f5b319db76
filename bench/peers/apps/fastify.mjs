/** The routes in Fastify: `$PORT` is the port. With schemas for its answers, PM2's `wait_ready` and a graceful end, as documented. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import {
  compressed,
  fibText,
  hello,
  hundredK,
  large,
  lengthOf,
  list,
  releaseText,
  spinForever,
  status,
  tenK,
  waitMs,
  works,
} from './routes.mjs';

const item = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    price: { type: 'integer' },
    quantity: { type: 'integer' },
    total: { type: 'integer' },
    active: { type: 'boolean' },
  },
};
const schema = { response: { 200: { type: 'object', properties: { items: { type: 'array', items: item } } } } };

export function create() {
  const app = Fastify({ keepAliveTimeout: 65_000, ...secure() });
  const text = (reply, body) => reply.type('text/plain').send(body);
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));
  app.get('/', (_request, reply) => text(reply.code(status), hello));
  app.get('/json', { schema }, (_request, reply) => reply.send(list()));
  app.get('/10k', (_request, reply) => reply.type('application/octet-stream').send(tenK));
  app.get('/100k', (_request, reply) => reply.type('application/octet-stream').send(hundredK));
  app.get('/gzip', (_request, reply) =>
    reply.type('application/json').header('Content-Encoding', 'gzip').send(compressed()),
  );
  app.get('/fib/:n', (request, reply) => text(reply, fibText(request.url)));
  app.get('/download', (_request, reply) => reply.type('application/octet-stream').send(large));
  app.post('/upload', async (request, reply) => text(reply, await lengthOf(request.raw)));
  app.get('/release/:number', (request, reply) => text(reply, releaseText(request.url)));
  app.get('/hang', () => spinForever());
  app.get('/abort', () => process.abort());
  app.get('/wait', async (_request, reply) => {
    await sleep(waitMs);
    return text(reply, hello);
  });
  for (const [path, work] of Object.entries(works))
    app.get(path, (_request, reply) => {
      work();
      return text(reply, hello);
    });
  app.get('/*', (_request, reply) => text(reply, hello));
  return app;
}

/** With `$CERTFILE` and `$KEYFILE` over TLS, with `$HTTP2` over HTTP/2 too. */
function secure() {
  const { CERTFILE, KEYFILE, HTTP2 } = process.env;
  if (CERTFILE === undefined) return {};
  const pair = { cert: readFileSync(CERTFILE), key: readFileSync(KEYFILE) };
  return HTTP2 === undefined ? { https: pair } : { http2: true, https: { ...pair, allowHTTP1: true } };
}

// Watt calls `create` and listens itself.
if (process.env.PORT !== undefined) {
  const app = create();
  await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 2048 });
  process.send?.('ready');
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => app.close().then(() => process.exit()));
}
