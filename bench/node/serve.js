/** `node serve.js NAME PORT`: the handler of that name on node:http, with the keep-alive time that tsgun has. */

import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2);
const { default: handler } = await import(`./${name}.js`);
const server = createServer(handler);
server.keepAliveTimeout = 65_000;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 2048 });
