const http = require('node:http');

const server = http.createServer((req, res) => {
  res.setHeader('X-Program', 'http');
  res.end(`${req.method} ${req.url} ${require.main === module}\n`);
});
server.listen(process.env.PORT);
