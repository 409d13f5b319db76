// Serves an app by node:http alone.

const { createServer } = require('node:http');
const app = require(process.argv[2]);

const say = (server) => process.stderr.write(`port ${server.address().port}\n`);
if (app.routing) app.listen({ port: 0, host: '127.0.0.1' }, () => say(app.server));
else {
  const server = typeof app === 'function' ? createServer(app) : app;
  server.listen(0, '127.0.0.1', () => say(server));
}
