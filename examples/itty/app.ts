import { AutoRouter, type IRequest } from 'itty-router';

const app = AutoRouter();
app.get('/', () => new Response('hello'));
app.get('/users/:id', ({ params, query }: IRequest) => ({ id: params.id, q: query.q ?? null }));
app.post('/json', async (request: IRequest) => ({ received: await request.json() }));
app.get('/cookies', ({ headers }: IRequest) => {
  const fields: [string, string][] = [
    ['set-cookie', 'a=1; Path=/'],
    ['set-cookie', 'b=2; HttpOnly'],
  ];
  return new Response(headers.get('cookie'), { headers: fields });
});
app.get(
  '/stream',
  () => new Response(ReadableStream.from(['one ', 'two ', 'three']).pipeThrough(new TextEncoderStream())),
);
app.post('/upload', async ({ body }: IRequest) => {
  let bytes = 0;
  for await (const piece of body ?? []) bytes += piece.length;
  return { bytes };
});
app.get('/boom', () => {
  throw new Error('boom');
});

export default app;
