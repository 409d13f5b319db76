const { createServer } = require('node:http');
const { Server } = require('socket.io');

const httpServer = createServer();
const io = new Server(httpServer, { transports: ['websocket'] });
io.on('connection', (socket) => socket.on('say', (text, answer) => answer(`heard ${text}`)));
httpServer.listen(3000);
