import { json } from 'node:stream/consumers';
import connect from 'connect';

const app = connect();
app.use('/users/', (req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost');
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify({ id: pathname.slice(1), q: searchParams.get('q') }));
});
app.use('/json', async (req, res) => {
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify({ received: await json(req) }));
});
app.use('/cookies', (req, res) => {
  res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']);
  res.end(req.headers.cookie);
});
app.use('/stream', (_req, res) => {
  for (const piece of ['one ', 'two ', 'three']) res.write(piece);
  res.end();
});
app.use('/upload', (req, res) => {
  let bytes = 0;
  req.on('data', (piece) => (bytes += piece.length)).on('end', () => res.end(JSON.stringify({ bytes })));
});
app.use('/boom', () => {
  throw new Error('boom');
});
app.use('/', (req, res, next) => (req.url === '/' ? res.end('hello') : next()));

export default app;
