// Serves an app by node:http alone.

const { createServer } = require('node:http');
const app = require(process.argv[2]);

const server = typeof app === 'function' ? createServer(app) : app;
server.listen(0, '127.0.0.1', () => process.stderr.write(`port ${server.address().port}\n`));
