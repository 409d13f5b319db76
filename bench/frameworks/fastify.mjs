import fastify from 'fastify';

const app = fastify();
app.get('/', () => 'Hello, world!\n');

export default app;
