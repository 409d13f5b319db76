/** `node serve.mjs NAME PORT`: the app of that name on the server that it usually has, with tsgun's keep-alive time. */

import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2);
const { default: app } = await import(`./${name}.mjs`);
const address = { port: Number(port), host: '127.0.0.1', backlog: 2048 };
const keepAliveTimeout = 65_000;

if (name === 'fastify') {
  app.server.keepAliveTimeout = keepAliveTimeout;
  await app.listen(address);
} else if (name === 'hono') {
  const { createAdaptorServer } = await import('@hono/node-server');
  const server = createAdaptorServer({ fetch: app.fetch });
  server.keepAliveTimeout = keepAliveTimeout;
  server.listen(address);
} else {
  const server = createServer(name === 'koa' ? app.callback() : app);
  server.keepAliveTimeout = keepAliveTimeout;
  server.listen(address);
}
