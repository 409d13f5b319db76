/** `node node-echo.mjs PORT BODY_LIMIT KEEP_ALIVE_SECONDS`: what `../echo-app.ts` does, on node:http. */

import { createServer } from 'node:http';

const [port, bodyLimit, keepAliveSeconds] = process.argv.slice(2).map(Number);

/** Above the longest head of the cases; the limit is one for the whole head. */
const maxHeaderSize = 32 * 1024;

const server = createServer({ maxHeaderSize, keepAliveTimeout: keepAliveSeconds * 1000 }, (request, response) => {
  request.on('error', () => {});
  const say = (body) => {
    const echo = { method: request.method, target: request.url, body, environ: {} };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(echo));
  };
  const refuse = () => {
    request.removeAllListeners('data').removeAllListeners('end');
    response.writeHead(413, { Connection: 'close' }).end();
  };
  if (request.url === '/unread') {
    say('');
    return;
  }
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) {
    refuse();
    return;
  }
  let size = 0;
  const pieces = [];
  request.on('data', (piece) => {
    size += piece.length;
    pieces.push(piece);
    if (size > bodyLimit) refuse();
  });
  request.on('end', () => say(Buffer.concat(pieces).toString('latin1')));
});
server.listen(port, '127.0.0.1');
