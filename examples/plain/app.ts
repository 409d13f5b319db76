// A handler as `node:http` takes it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';

export default async function app(req: IncomingMessage, res: ServerResponse) {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost');
  const answer = (status: number, value: unknown) =>
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

  if (pathname === '/') return res.end('hello');
  if (pathname.startsWith('/users/')) return answer(200, { id: pathname.slice(7), q: searchParams.get('q') });
  if (pathname === '/json') return answer(200, { received: await json(req) });
  if (pathname === '/cookies') {
    res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']);
    return res.end(req.headers.cookie);
  }
  if (pathname === '/stream') {
    for (const piece of ['one ', 'two ', 'three']) res.write(piece);
    return res.end();
  }
  if (pathname === '/upload') {
    let bytes = 0;
    for await (const piece of req) bytes += piece.length;
    return answer(200, { bytes });
  }
  if (pathname === '/boom') throw new Error('boom');
  return answer(404, { error: 'not found' });
}
