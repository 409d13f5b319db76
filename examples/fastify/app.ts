import { Readable } from 'node:stream';
import fastify from 'fastify';

const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.get('/', () => 'hello');
app.get<{ Params: { id: string }; Querystring: { q?: string } }>('/users/:id', ({ params, query }) => ({
  id: params.id,
  q: query.q ?? null,
}));
app.post('/json', ({ body }) => ({ received: body }));
app.get('/cookies', ({ headers }, reply) =>
  reply.header('Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']).send(headers.cookie),
);
app.get('/teapot', (_request, reply) => reply.code(418).send({ error: 'short and stout' }));
app.get('/stream', (_request, reply) => reply.send(Readable.from(['one ', 'two ', 'three'])));
app.post<{ Body: Buffer }>('/upload', ({ body }) => ({ bytes: body.length }));
app.get('/boom', () => {
  throw new Error('boom');
});

export default app;
