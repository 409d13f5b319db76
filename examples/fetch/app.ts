// A function from Request to Response, without a framework.
export default async function app(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/') return new Response('hello');
  if (pathname.startsWith('/users/')) return Response.json({ id: pathname.slice(7), q: searchParams.get('q') });
  if (pathname === '/json') return Response.json({ received: await request.json() });
  if (pathname === '/cookies') {
    const response = new Response(request.headers.get('cookie'));
    response.headers.append('Set-Cookie', 'a=1; Path=/');
    response.headers.append('Set-Cookie', 'b=2; HttpOnly');
    return response;
  }
  if (pathname === '/stream')
    return new Response(ReadableStream.from(['one ', 'two ', 'three']).pipeThrough(new TextEncoderStream()));
  if (pathname === '/upload') {
    let bytes = 0;
    for await (const piece of request.body ?? []) bytes += piece.length;
    return Response.json({ bytes });
  }
  if (pathname === '/boom') throw new Error('boom');
  return Response.json({ error: 'not found' }, { status: 404 });
}
