import Koa from 'koa';

const app = new Koa();
app.use(async (ctx) => {
  ctx.body = { path: ctx.path, query: ctx.query };
});
app.listen({ port: 3000, host: '127.0.0.1' });
