/** `node serve.mjs` with the port in `$PORT`, and `$CERTFILE` and `$KEYFILE` for TLS, `$HTTP2` for HTTP/2: the handler on node:http, which ends its requests at TERM and at INT. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import handler from './handler.mjs';

const { PORT, CERTFILE, KEYFILE, HTTP2 } = process.env;
const server = CERTFILE === undefined ? createServer(handler) : createSecure();
// Longer than a proxy keeps idle connections.
server.keepAliveTimeout = 65_000;
server.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 2048 });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.close(() => process.exit()));

function createSecure() {
  const pair = { cert: readFileSync(CERTFILE), key: readFileSync(KEYFILE) };
  return HTTP2 === undefined
    ? createHttpsServer(pair, handler)
    : createSecureServer({ ...pair, allowHTTP1: true }, handler);
}
