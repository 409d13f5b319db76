/** The routes in Express: `$PORT` is the port, `$CERTFILE` and `$KEYFILE` are for TLS. With PM2's `wait_ready` and a graceful end, as its documentation recommends. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
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

const app = express();
app.get('/', (_request, response) => response.status(status).type('text/plain').send(hello));
app.get('/json', (_request, response) => response.json(list()));
app.get('/10k', (_request, response) => response.type('application/octet-stream').send(tenK));
app.get('/100k', (_request, response) => response.type('application/octet-stream').send(hundredK));
app.get('/gzip', (_request, response) =>
  response.type('application/json').set('Content-Encoding', 'gzip').send(compressed()),
);
app.get('/fib/:n', (request, response) => response.type('text/plain').send(fibText(request.path)));
app.get('/download', (_request, response) => response.type('application/octet-stream').send(large));
app.post('/upload', async (request, response) => response.type('text/plain').send(await lengthOf(request)));
app.get('/release/:number', (request, response) => response.type('text/plain').send(releaseText(request.path)));
app.get('/hang', () => spinForever());
app.get('/abort', () => process.abort());
app.get('/wait', async (_request, response) => {
  await sleep(waitMs);
  response.type('text/plain').send(hello);
});
for (const [path, work] of Object.entries(works))
  app.get(path, (_request, response) => {
    work();
    response.type('text/plain').send(hello);
  });
app.use((_request, response) => response.type('text/plain').send(hello));

const { PORT, CERTFILE, KEYFILE } = process.env;
const server =
  CERTFILE === undefined
    ? createServer(app)
    : createSecureServer({ cert: readFileSync(CERTFILE), key: readFileSync(KEYFILE) }, app);
server.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 2048 }, () => process.send?.('ready'));
server.keepAliveTimeout = 65_000;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.close(() => process.exit()));
