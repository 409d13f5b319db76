import Koa from 'koa';

const app = new Koa();
app.use((context) => {
  context.body = { path: context.path, query: context.query, host: context.host };
});
app.listen(process.env.PORT ?? 3000);
