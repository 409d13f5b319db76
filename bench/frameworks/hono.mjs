import { Hono } from 'hono';

const app = new Hono();
app.get('/', (c) => c.text('Hello, world!\n'));

export default app;
