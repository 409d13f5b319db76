import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import Koa from 'koa';

const app = new Koa();
app.use(async (ctx) => {
  if (ctx.path === '/') ctx.body = 'hello';
  else if (ctx.path.startsWith('/users/')) ctx.body = { id: ctx.path.slice(7), q: ctx.query.q ?? null };
  else if (ctx.path === '/json') ctx.body = { received: await json(ctx.req) };
  else if (ctx.path === '/cookies') {
    ctx.cookies.set('a', '1');
    ctx.cookies.set('b', '2', { httpOnly: false });
    ctx.body = ctx.get('cookie');
  } else if (ctx.path === '/teapot') {
    ctx.status = 418;
    ctx.body = { error: 'short and stout' };
  } else if (ctx.path === '/stream') ctx.body = Readable.from(['one ', 'two ', 'three']);
  else if (ctx.path === '/upload') {
    let bytes = 0;
    for await (const piece of ctx.req) bytes += piece.length;
    ctx.body = { bytes };
  } else if (ctx.path === '/boom') throw new Error('boom');
});

export default app;
