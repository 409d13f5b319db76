/**
 * Sends the request's body back as it arrives: nothing is kept, so a slow client slows only itself. The export `tcp` sends back the
 * bytes of a raw connection.
 */

import type { App, Header, TcpApp } from 'tsgun';

const app: App = (env, startResponse) => {
  const headers: Header[] = [['Content-Type', env.CONTENT_TYPE ?? 'application/octet-stream']];
  // A chunked body has no length; the answer is then chunked as well.
  if (env.CONTENT_LENGTH !== undefined) headers.push(['Content-Length', env.CONTENT_LENGTH]);
  startResponse('200 OK', headers);
  return pieces(env['wsgi.input']);
};

async function* pieces(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* input;
}

export const tcp: TcpApp = (socket, { signal }) => {
  socket.pipe(socket);
  // Data that has arrived is still sent back.
  signal.addEventListener('abort', () => socket.destroySoon());
};

export default app;
