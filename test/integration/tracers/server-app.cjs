module.exports = require('node:http').createServer((_req, res) => res.end('server'));
