import Fastify from 'fastify';

const fastify = Fastify();
fastify.get('/user/:id', async (request) => ({ id: request.params.id }));
const address = await fastify.listen({ port: 3000 });
console.log(`listening on ${address}`);
