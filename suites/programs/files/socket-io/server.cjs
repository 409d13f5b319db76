const { createServer } = require('node:http');
const { Server } = require('socket.io');

const server = createServer((request, response) => response.end('over HTTP\n'));
const io = new Server(server, { transports: ['websocket'] });
io.on('connection', (socket) => socket.on('say', (text, answer) => answer(`heard ${text}`)));
server.listen(process.env.PORT ?? 3000);
