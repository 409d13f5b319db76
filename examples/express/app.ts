import express from 'express';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
app.get('/users/:id', (req, res) => void res.json({ id: req.params.id, q: req.query.q ?? null }));
app.post('/json', express.json(), (req, res) => void res.json({ received: req.body }));
app.get('/cookies', (req, res) => {
  res.cookie('a', '1').cookie('b', '2', { httpOnly: true });
  res.send(req.get('cookie'));
});
app.get('/teapot', (_req, res) => void res.status(418).json({ error: 'short and stout' }));
app.get('/stream', (_req, res) => {
  for (const piece of ['one ', 'two ', 'three']) res.write(piece);
  res.end();
});
app.post('/upload', (req, res) => {
  let bytes = 0;
  req.on('data', (piece) => (bytes += piece.length)).on('end', () => res.json({ bytes }));
});
app.get('/boom', () => {
  throw new Error('boom');
});

export default app;
