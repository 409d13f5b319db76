const net = require('node:net');

const sockets = new Set();
const server = net.createServer((socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('data', (bytes) => socket.write(bytes));
});
server.listen(9999, 'localhost');
process.on('SIGTERM', () => {
  server.close();
  for (const socket of sockets) socket.end('bye\n');
});
