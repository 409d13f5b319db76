// What bench/h2.mjs compares with: Node's own servers over TLS. node secure.js http2|https PORT CERT KEY
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';

const [, , kind, port, cert, key] = process.argv;
const options = { cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true };
const create = kind === 'http2' ? createSecureServer : createServer;
create(options, (_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end('Hello, world!\n');
}).listen(Number(port), '127.0.0.1', 2048);
