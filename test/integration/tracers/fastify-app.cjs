const app = require('fastify')();
app.get('/users/:id', async (request) => `user ${request.params.id}`);
app.get('/failing', async (_request, reply) => reply.code(503).send('not now'));
module.exports = app;
