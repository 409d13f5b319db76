import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.get('/user/:id', (c) => c.json({ id: c.req.param('id') }));
serve({ fetch: app.fetch, port: 3000 }, (info) => console.log(`Listening on http://localhost:${info.port}`));

export default app;
