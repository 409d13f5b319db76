import { Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { stream } from 'hono/streaming';

const app = new Hono();
app.get('/', (c) => c.text('hello'));
app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') ?? null }));
app.post('/json', async (c) => c.json({ received: await c.req.json() }));
app.get('/cookies', (c) => {
  setCookie(c, 'a', '1');
  setCookie(c, 'b', '2', { httpOnly: true });
  return c.text(c.req.header('cookie') ?? '');
});
app.get('/teapot', (c) => c.json({ error: 'short and stout' }, 418));
app.get('/stream', (c) => {
  c.header('Content-Type', 'text/plain');
  return stream(c, async (body) => {
    for (const piece of ['one ', 'two ', 'three']) await body.write(piece);
  });
});
app.post('/upload', async (c) => {
  let bytes = 0;
  for await (const piece of c.req.raw.body ?? []) bytes += piece.length;
  return c.json({ bytes });
});
app.get('/boom', () => {
  throw new Error('boom');
});

export default app;
