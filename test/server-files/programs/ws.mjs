import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_, res) => res.end('over HTTP\n'));
new WebSocketServer({ server }).on('connection', (socket) =>
  socket.on('message', (text) => socket.send(`echo ${text}`)),
);
// As after a connection to a database.
setTimeout(() => server.listen(3000), 300);
