import { H3, type H3Event } from 'h3';

const app = new H3();
app.get('/', () => 'hello');
app.get('/users/:id', ({ context, url }: H3Event) => ({ id: context.params?.id, q: url.searchParams.get('q') }));
app.post('/json', async ({ req }: H3Event) => ({ received: await req.json() }));
app.get('/cookies', ({ req, res }: H3Event) => {
  res.headers.append('set-cookie', 'a=1; Path=/');
  res.headers.append('set-cookie', 'b=2; HttpOnly');
  return req.headers.get('cookie');
});
app.get(
  '/stream',
  () => new Response(ReadableStream.from(['one ', 'two ', 'three']).pipeThrough(new TextEncoderStream())),
);
app.post('/upload', async ({ req }: H3Event) => {
  let bytes = 0;
  for await (const piece of req.body ?? []) bytes += piece.length;
  return { bytes };
});
app.get('/boom', () => {
  throw new Error('boom');
});

export default app;
