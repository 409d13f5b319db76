/** `node serve.mjs` with the port in `$PORT`: the handler on node:http, which ends its requests at TERM and at INT. */

import { createServer } from 'node:http';
import handler from './handler.mjs';

const server = createServer(handler);
// Longer than a proxy keeps idle connections.
server.keepAliveTimeout = 65_000;
server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 2048 });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.close(() => process.exit()));
